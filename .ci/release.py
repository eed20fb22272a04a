"""Builds wheel and sdist in dist/ and tries them: python .ci/release.py [--tag v0.1.0] [--fresh].

The wheel goes into a new environment, where `cnnviz` says its version, README's lines draw a map and the demonstration
grades. That environment borrows the packages of this one; with --fresh pip fetches what the wheel asks for.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from packaging.metadata import Metadata

ROOT = Path(__file__).parents[1]
TOP = re.compile(r"(cnnviz|cnnviz_ref|autograder|cnnviz-[^/]+\.(dist-info|data))/")
"""Whatever is in the wheel begins so."""


def main() -> None:
    """Raises where anything is not as it should be; the last line says what can be published."""
    given = _arguments()
    for old in (ROOT / "dist").glob("cnnviz-*"):
        old.unlink()
    wheel = Path(next(WheelBuilder(str(ROOT)).build(directory=str(ROOT / "dist"), versions=["standard"])))
    sdist = Path(next(SdistBuilder(str(ROOT)).build(directory=str(ROOT / "dist"))))
    version = check_metadata(wheel, given.tag)
    with tempfile.TemporaryDirectory(prefix="cnnviz-release-check-") as folder:
        check_sdist(sdist, wheel, Path(folder))
        check_installed(wheel, version, Path(folder), fresh=given.fresh)
    for path in (wheel, sdist):
        print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1e6:.1f} MB")


def check_metadata(wheel: Path, tag: str) -> str:
    """The version; names, licence and requirements are valid, and nothing lies beside the three packages."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (place,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = Metadata.from_email(archive.read(place), validate=True)
    assert not (stray := [name for name in names if not TOP.match(name)]), f"{wheel.name} holds {stray[0]}"
    assert metadata.description, f"{wheel.name} has no description; pyproject.toml names README.md for it"
    assert tag in ("", f"v{metadata.version}"), f"--tag: got {tag}; the version of pyproject.toml is {metadata.version}"
    return str(metadata.version)


def check_sdist(sdist: Path, wheel: Path, folder: Path) -> None:
    """The wheel that is built from the sdist has the same files."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    again = next(WheelBuilder(str(unpacked)).build(directory=str(folder / "again"), versions=["standard"]))
    ours, theirs = (set(zipfile.ZipFile(path).namelist()) for path in (wheel, again))
    assert ours == theirs, f"{sdist.name}: the wheel made from it differs in {sorted(ours ^ theirs)[:5]}"


def check_installed(wheel: Path, version: str, folder: Path, *, fresh: bool) -> None:
    """In an environment of its own the wheel does what README says."""
    venv.create(folder / "new", with_pip=False)
    python, command = folder / "new" / "bin" / "python", folder / "new" / "bin" / "cnnviz"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    if fresh:
        _run(folder, *pip, str(wheel))
    else:
        site = next(python.parents[1].glob("lib/python*/site-packages"))
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        _run(folder, *pip, "--no-deps", "--no-index", "--ignore-installed", str(wheel))
    place = _run(folder, str(python), "-c", "import cnnviz; print(cnnviz.__file__)")
    assert place.startswith(str(folder)), f"got cnnviz from {place.strip()}, not from the wheel"
    said = _run(folder, str(command), "--version")
    assert version in said, f"cnnviz --version: got {said.strip()}; the wheel is {version}"
    lines = re.search(r"(?ms)^```python\n(.*?)^```", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert lines, "README.md shows no Python"
    _run(folder, str(python), "-c", lines[1])
    assert (folder / "picture.png").is_file(), "README's lines made no picture.png"
    _run(folder, str(command), "demo")


def _run(folder: Path, *command: str) -> str:
    """What it prints; nothing of this environment's is in its way."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CNNVIZ"))}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: exit status {done.returncode}\n{done.stdout}"
    return done.stdout


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tag", default="", help="fail unless the version is this tag's")
    parser.add_argument("--fresh", action="store_true", help="let pip fetch what the wheel asks for")
    return parser.parse_args()


if __name__ == "__main__":
    main()

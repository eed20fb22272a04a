"""Works out in the parent what the isolated program may import and read, and hands it over as one JSON file."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from pathlib import Path

from . import temporary
from .child import REFUSED

LESSONS = "cnnviz.lessons"
"""Entry points of packages that hold lessons of an instructor's own, answers and all."""
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/usr/share/zoneinfo",
    "/usr/share/fonts",
    "/nix/store",
)
_KERNEL = (
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/fonts",
    "/nix/store",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
)
_FILES = ("/proc/filesystems", "/proc/sys/kernel", "/proc/sys/vm", "/sys/devices/system", "/dev/urandom")
_DEVICE = (
    "/usr/local/nvidia",
    "/usr/local/cuda",
    "/proc/driver",
    "/proc/devices",
    "/proc/modules",
    "/sys",
    "/etc/nvidia",
)
_PASSED = ("LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "SYSTEMROOT", "WINDIR")
_SEARCHED = ("PATH",) if os.name == "nt" else ()
"""Windows looks for libraries there; torch asks for it."""
_FONTS = 60.0
"""Seconds that the search for fonts may take."""


def prepare(*, layers: Sequence[str], own_pids: bool) -> Path:
    """A private folder with `config.json`, `kit/`, which holds nothing but a link to cnnviz, and `calls/`."""
    package = _folder_of("cnnviz")
    if package is None:
        raise ModuleNotFoundError("cnnviz is not importable: install it with `python -m pip install -e .`")
    temporary.sweep()
    root = temporary.make()
    for name in ("kit", "calls"):
        (root / name).mkdir()
    _link(package, root / "kit" / "cnnviz")
    config = {
        "root": str(root),
        "parent": None if own_pids else os.getpid(),
        "scratch": ["/dev/shm"] if own_pids else [],
        "layers": list(layers),
        "standard": [path for path in _standard() if os.path.exists(path)],
        "kit": str(root / "kit"),
        "sites": _sites(),
        "fonts": _lent_fonts(root),
        "readable": readable(root),
    }
    (root / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return root


def _lent_fonts(root: Path) -> str:
    """A folder with matplotlib's list of the fonts, for which it would search the disk in every process.

    Where this version of matplotlib has none yet, a process of our own makes one; without it, each makes its own.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "cnnviz" / "matplotlib"
    kept = cache / importlib.metadata.version("matplotlib")
    if not any(kept.glob("fontlist-*.json")):
        environment = {**os.environ, "MPLCONFIGDIR": str(kept)}
        command = [sys.executable, "-I", "-c", "import matplotlib.font_manager"]
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            kept.mkdir(parents=True, exist_ok=True)
            subprocess.run(  # in a folder of ours: matplotlib reads a `matplotlibrc` of the current one
                command, cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_FONTS
            )
    (root / "fonts").mkdir()
    for file in kept.glob("fontlist-*.json"):
        shutil.copy(file, root / "fonts")
    return str(root / "fonts")


def environment(root: Path) -> dict[str, str]:
    """The child's whole environment: nothing of the grader's but what libraries need to be found."""
    passed = {name: os.environ[name] for name in (*_PASSED, *_SEARCHED) if name in os.environ}
    fixed = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    return {**passed, **fixed, "LC_ALL": "C.UTF-8", "HOME": str(root), "PYTHONDONTWRITEBYTECODE": "1"}


def _folder_of(package: str) -> Path | None:
    """The folder of a package, found without importing it."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]).resolve() if places else None


def _link(package: Path, link: Path) -> None:
    try:
        link.symlink_to(package, target_is_directory=True)
    except OSError:  # Windows without the right to make links
        shutil.copytree(package, link, ignore=shutil.ignore_patterns("__pycache__"))


def _standard() -> list[str]:
    paths = sysconfig.get_paths()
    library = os.path.dirname(os.__file__)
    zipped = os.path.join(os.path.dirname(library), f"python{sys.version_info[0]}{sys.version_info[1]}.zip")
    return list(dict.fromkeys([zipped, library, os.path.join(library, "lib-dynload"), paths["stdlib"]]))


def _sites() -> list[str]:
    """Site-packages directories, and wherever torch and numpy really come from."""
    paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    if site.ENABLE_USER_SITE:
        paths.append(site.getusersitepackages())
    paths += [str(folder.parent) for folder in map(_folder_of, ("torch", "numpy")) if folder]
    return [path for path in dict.fromkeys(paths) if os.path.isdir(path)]


def readable(root: Path) -> dict[str, list[str]]:
    """Works out what may be read.

    Returns:
        `trees`, whose files may be read, and `folders`, of which only the names may be seen; the same as `whole` trees
        with `holes`; `named`, as the paths are written where links lead to them; `device_trees` for a graphics card;
        `program`, what it takes to start Python and this package's own part in the child.
    """
    prefixes = [os.path.join(prefix, "lib") for prefix in (sys.base_prefix, sys.base_exec_prefix, sys.prefix)]
    package = _folder_of("cnnviz")
    needed = [*_standard(), *_sites(), str(root / "kit"), *([str(package)] if package else [])]
    named = list(dict.fromkeys((*_SYSTEM, *_KERNEL, *_FILES, *prefixes, *needed)))
    whole = [path for path in dict.fromkeys(map(os.path.realpath, named)) if os.path.exists(path)]
    refused = (*REFUSED, *(point.value for point in entry_points(group=LESSONS)))
    holes = [*(folder for folder in map(_folder_of, refused) if folder), *_other_copies(whole)]
    trees: list[str] = []
    listed: list[str] = []
    for path in whole:
        _grant(Path(path), holes, trees, listed)
    return {
        "trees": outermost(trees),
        "folders": listed,
        "whole": whole,
        "holes": [str(hole) for hole in holes],
        "named": named,
        "device_trees": list(_DEVICE),
        "program": [str(Path(__file__).parent), os.path.join(sys.prefix, "pyvenv.cfg"), "/etc/alternatives"],
    }


def _other_copies(trees: list[str]) -> list[Path]:
    """The answer key as some other Python of this machine has it installed."""
    places = [*trees, *(str(inner) for tree in trees for inner in Path(tree).glob("python3*"))]
    beside = [Path(place, kind) for place in places for kind in ("", "site-packages", "dist-packages")]
    return [folder / name for folder in beside for name in REFUSED if (folder / name).is_dir()]


def inside(path: str, trees: Iterable[str]) -> bool:
    """Whether the path is one of the trees or lies in one."""
    return any(path == tree or path.startswith(tree.rstrip("/") + "/") for tree in trees)


def outermost(paths: Iterable[str]) -> list[str]:
    """Without those that lie in another."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not inside(path, kept):
            kept.append(path)
    return kept


def _grant(path: Path, holes: list[Path], trees: list[str], listed: list[str]) -> None:
    """The whole tree, or where the answer key lies inside it, everything beside the key."""
    if path in holes or not path.exists():
        return
    if not any(path in hole.parents for hole in holes):
        trees.append(str(path))
        return
    listed.append(str(path))
    for entry in path.iterdir():
        _grant(entry, holes, trees, listed)

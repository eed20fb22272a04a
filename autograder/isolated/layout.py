"""What the isolated program may import and read: computed by the parent, handed over as one JSON file."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import site
import sys
import sysconfig
import tempfile
from pathlib import Path

from .child import REFUSED

_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo", "/usr/share/fonts")
_KERNEL = ("/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat")
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


def prepare() -> Path:
    """A private folder with `config.json` and `kit/`, which holds nothing but a link to cnnviz."""
    root = Path(os.path.realpath(tempfile.mkdtemp(prefix="cnnviz-run-")))
    package = _folder_of("cnnviz")
    if package is None:
        raise ModuleNotFoundError("cnnviz is not importable: install it with `python -m pip install -e .`")
    (root / "kit").mkdir()
    _link(package, root / "kit" / "cnnviz")
    sites = _sites()
    config = {
        "root": str(root),
        "parent": os.getpid(),
        "standard": [path for path in _standard() if os.path.exists(path)],
        "kit": str(root / "kit"),
        "sites": sites,
        "figures": os.environ.get("MPLCONFIGDIR") or os.path.expanduser("~/.cache/matplotlib"),
        "readable": _readable([*_standard(), *sites, str(root / "kit"), str(package)]),
    }
    (root / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return root


def environment(root: Path) -> dict[str, str]:
    """The child's whole environment: nothing of the grader's but what libraries need to be found."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    fixed = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    return {**passed, **fixed, "LC_ALL": "C.UTF-8", "HOME": str(root), "PYTHONDONTWRITEBYTECODE": "1"}


def _folder_of(package: str) -> Path | None:
    """Where a package lies, without importing it."""
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


def _readable(needed: list[str]) -> dict[str, list[str]]:
    """Trees whose files may be read, and folders of which only the names may be seen."""
    prefixes = [os.path.join(prefix, "lib") for prefix in (sys.base_prefix, sys.base_exec_prefix, sys.prefix)]
    holes = [folder for folder in map(_folder_of, REFUSED) if folder]
    trees: list[str] = []
    folders: list[str] = []
    for path in dict.fromkeys((*_SYSTEM, *_KERNEL, *_FILES, *prefixes, *needed)):
        _grant(Path(os.path.realpath(path)), holes, trees, folders)
    return {"trees": trees, "folders": folders, "device_trees": list(_DEVICE)}


def _grant(path: Path, holes: list[Path], trees: list[str], folders: list[str]) -> None:
    """The whole tree, or where the answer key lies inside it, everything beside the key."""
    if path in holes or not path.exists():
        return
    if not any(path in hole.parents for hole in holes):
        trees.append(str(path))
        return
    folders.append(str(path))
    for entry in path.iterdir():
        _grant(entry, holes, trees, folders)

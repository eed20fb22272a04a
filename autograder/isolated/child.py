"""The isolated program: `python -I -S child.py fork|spawn CONFIG`, run by path.

The standard library, torch, numpy and cnnviz are all it can import: sys.path is made by hand, no .pth file is read
(an editable install would open the project tree), and the grader's own packages are refused by name.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import shutil
import sys
import tempfile
from types import ModuleType
from typing import Any

REFUSED = ("cnnviz_ref", "autograder")


class _Refusal:
    """A finder that comes first and says no."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"{name} is not there while a submission is graded", name=name)


def _open_path(config: dict[str, Any]) -> None:
    sys.path[:] = [*config["standard"], config["kit"], *config["sites"]]
    sys.meta_path.insert(0, _Refusal())  # type: ignore[arg-type]


def _machinery(*names: str) -> list[ModuleType]:
    """Our own files, as a package of another name whose folder is forgotten once they are loaded."""
    package = ModuleType("isolated_run")
    package.__path__ = [os.path.dirname(os.path.abspath(__file__))]
    sys.modules[package.__name__] = package
    modules = [importlib.import_module(f"{package.__name__}.{name}") for name in names]
    package.__path__ = []
    for name in [name for name in sys.modules if name.partition(".")[0] == package.__name__]:
        del sys.modules[name]
    return modules


def _stand_ins() -> None:
    """Submissions say `from autograder import check`; here that checks nothing."""
    fake = ModuleType("autograder")
    fake.check = lambda *arguments, **options: None  # type: ignore[attr-defined]
    sys.modules["autograder"] = fake
    sys.modules["cnnviz_ref"] = None  # type: ignore[assignment]


def _warm_figures(fonts: str, calls: str) -> None:
    """What the notebooks import beside torch; without the list of fonts in memory every call would search the disk."""
    with tempfile.TemporaryDirectory(dir=calls) as cache:
        shutil.copytree(fonts, cache, dirs_exist_ok=True)
        os.environ["MPLCONFIGDIR"] = cache
        for name in ("matplotlib.pyplot", "rich.progress"):
            with contextlib.suppress(Exception):  # a submission that needs it will say so itself
                importlib.import_module(name)
        del os.environ["MPLCONFIGDIR"]


def main(mode: str, config_file: str) -> None:
    """Warm up, then serve forks of this process, or wait for one call on stdin and make it."""
    with open(config_file, encoding="utf-8") as file:
        config = json.load(file)
    _open_path(config)
    calling, confine, zygote = _machinery("calling", "confine", "zygote")
    for name in ("cnnviz", "cnnviz.small_nets", "cnnviz.models", "cnnviz.pictures", "cnnviz.figures"):
        importlib.import_module(name)
    _stand_ins()
    calls = os.path.join(config["root"], "calls")
    _warm_figures(config["fonts"], calls)
    confine.close_memory(True)
    gc.collect()
    gc.freeze()
    if mode == "spawn":
        calling.call(config, 0, 1, 2)
    import socket

    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    zygote.serve(control, config["parent"], [calls, *config["scratch"]], lambda *ends: calling.call(config, *ends))
    zygote.remove(config["root"])


if __name__ == "__main__":
    main(*sys.argv[1:])

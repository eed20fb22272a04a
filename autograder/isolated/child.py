"""The isolated program: `python -I -S child.py fork|spawn CONFIG`, run by path.

The standard library, torch, numpy and cnnviz are all it can import: sys.path is made by hand, no .pth file is read
(an editable install would open the project tree), and the grader's own packages are refused by name.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
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


def _warm_figures(cache: str) -> None:
    """What the notebooks import beside torch; without the list of fonts in memory every call would search the disk."""
    os.environ["MPLCONFIGDIR"] = cache
    try:
        for name in ("matplotlib.pyplot", "rich.progress"):
            importlib.import_module(name)
    except Exception:  # a submission that needs it will say so itself
        return
    finally:
        del os.environ["MPLCONFIGDIR"]


def main(mode: str, config_file: str) -> None:
    """Warm up, then serve forks of this process, or make the one call that stdin holds."""
    with open(config_file, encoding="utf-8") as file:
        config = json.load(file)
    _open_path(config)
    calling, zygote = _machinery("calling", "zygote")
    for name in ("cnnviz", "cnnviz.small_nets", "cnnviz.models", "cnnviz.pictures", "cnnviz.figures"):
        importlib.import_module(name)
    _stand_ins()
    if mode == "spawn":
        calling.call(config, 0, 1, 2)
    _warm_figures(config["figures"])
    import socket

    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    writable = [os.path.join(config["root"], "calls"), *config["scratch"]]
    zygote.serve(control, config["parent"], writable, lambda *ends: calling.call(config, *ends))
    zygote.remove(config["root"])


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A submission's cells become one module named `student`, with the modules that were handed in beside them."""

from __future__ import annotations
import __future__

import ast
import contextlib
import importlib.abc
import importlib.machinery
import linecache
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType, ModuleType
from typing import Any

from .requests import Cell

_FUTURE = sum(getattr(__future__, name).compiler_flag for name in __future__.all_feature_names)
_SHARE = 0.8
"""Of the time limit, what the statements of a notebook may take before the calls begin."""


class TooSlow(Exception):
    """A statement of a notebook took most of the time that there is."""


@dataclass(frozen=True)
class Failure:
    """One statement of a notebook that raised."""

    label: str
    line: int
    names: frozenset[str]
    """What it would have given a value to."""
    error: BaseException


class _Shell:
    """Stands for IPython's own object, which is asked for many things and gives none here."""

    def __getattr__(self, name: str) -> _Shell:
        return self

    def __call__(self, *arguments: object, **options: object) -> _Shell:
        return self


def load(cells: Iterable[Cell], seconds: float) -> tuple[ModuleType, list[Failure]]:
    """The module after all cells have run in it, and what failed in cells that are not loaded whole.

    Raises:
        BaseException: whatever a cell that is loaded whole raises, SyntaxError included.
    """
    module = ModuleType("student")
    vars(module)["get_ipython"] = _Shell
    sys.modules["student"] = module
    cells = list(cells)
    sys.meta_path.append(_Beside({cell.module: cell for cell in cells if cell.module}))
    failures: list[Failure] = []
    flags, until = 0, time.monotonic() + seconds * _SHARE
    for cell in (cell for cell in cells if not cell.module):
        if cell.own:
            _execute(_compiled(_parsed(cell), cell, flags), module)
        else:
            with _alarm(until - time.monotonic()):
                flags = _execute_apart(cell, module, flags, failures)
    return module, failures


def text_of(module: ModuleType, name: str) -> str | None:
    """The variable's value where it is a short text."""
    value = vars(module).get(name)
    return "".join(str.__iter__(value))[:100] if isinstance(value, str) else None


class _Beside(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Modules handed in beside the work, from their text; asked last, so that none takes the place of another."""

    def __init__(self, cells: dict[str, Cell]) -> None:
        self._cells = cells

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        package = any(module.startswith(f"{name}.") for module in self._cells)
        if name not in self._cells and not package:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=package)

    def exec_module(self, module: ModuleType) -> None:
        cell = self._cells.get(module.__name__)
        if cell is not None:
            _execute(_compiled(_parsed(cell), cell, 0), module)


def _parsed(cell: Cell) -> ast.Module:
    """Its syntax tree; the text is entered where tracebacks and `inspect.getsource` look for it."""
    linecache.cache[cell.label] = (len(cell.source), None, cell.source.splitlines(keepends=True), cell.label)
    return ast.parse(cell.source, cell.label)


def _compiled(tree: ast.Module, cell: Cell, flags: int) -> CodeType:
    return compile(tree, cell.label, "exec", flags, dont_inherit=True)


def _execute(code: CodeType, module: ModuleType) -> None:
    module.__file__ = code.co_filename
    exec(code, vars(module))


def _execute_apart(cell: Cell, module: ModuleType, flags: int, failures: list[Failure]) -> int:
    """Each statement alone, so that one that fails takes nothing else with it; what `__future__` has set by then."""
    try:
        body = _parsed(cell).body
    except (SyntaxError, ValueError):
        return flags
    for statement in body:
        try:
            code = _compiled(ast.Module([statement], []), cell, flags)
            flags |= code.co_flags & _FUTURE
            _execute(code, module)
        except BaseException as error:  # also an exit
            failures.append(Failure(cell.label, statement.lineno, frozenset(_bound(statement)), error))
    return flags


def _bound(statement: ast.stmt) -> Iterator[str]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """`TooSlow` in the statement that runs when the time is over, so that it can be named."""
    if seconds <= 0 or not hasattr(signal, "setitimer"):
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        raise TooSlow(f"it took more than {seconds:.2g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

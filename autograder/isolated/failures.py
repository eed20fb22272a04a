"""Exceptions of student code as plain records: nothing of ours shows, nothing of theirs is trusted."""

from __future__ import annotations

import linecache
import os
import sys
import sysconfig
import traceback
from types import TracebackType
from typing import Any

import torch

from .records import Error, error_record

_HERE = os.path.dirname(os.path.abspath(__file__))
_MEMORY_WORDS = ("can't allocate memory", "not enough memory", "CUDA out of memory")


def safe_text(value: object, limit: int) -> str:
    """`str(value)` where the object's own `__str__` may raise or return a subclass."""
    try:
        return "".join(str(value))[:limit]
    except Exception:
        return "(no text)"


def type_name(value: object, limit: int = 100) -> str:
    """The class's name, also where a metaclass lies about it."""
    name = type.__dict__["__name__"].__get__(type(value))
    return "".join(c for c in name if c.isprintable())[:limit]


def error_of(exception: BaseException) -> Error:
    """Type, message, and the deepest line inside the student's own source."""
    line, source = _own_line(exception.__traceback__)
    if isinstance(exception, SyntaxError) and line is None:
        line, source = exception.lineno, exception.text
    kind = "MemoryError" if is_memory_error(exception) else type_name(exception)
    message = exception.msg if isinstance(exception, SyntaxError) else exception
    return error_record(
        kind, safe_text(message, 500), line=line, source_line=source.strip() if isinstance(source, str) else None
    )


def is_memory_error(exception: BaseException) -> bool:
    """True also for torch's RuntimeErrors that say there is no memory."""
    if isinstance(exception, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(exception, RuntimeError) and any(w in safe_text(exception, 500) for w in _MEMORY_WORDS)


def is_not_attempted(exception: BaseException) -> bool:
    """A stub's own `raise NotImplementedError`, not torch's refusal of an operation."""
    if not isinstance(exception, NotImplementedError):
        return False
    source = _own_line(exception.__traceback__)[1]
    return not source or "NotImplementedError" in source


def _own_line(trace: TracebackType | None) -> tuple[int | None, str | None]:
    own = [(frame, line) for frame, line in traceback.walk_tb(trace) if _is_own(frame.f_code.co_filename)]
    if not own:
        return None, None
    frame, line = own[-1]
    return line, linecache.getline(frame.f_code.co_filename, line, frame.f_globals).strip()


def _is_own(filename: str) -> bool:
    return not filename.startswith(("<frozen", *_foreign()))


def _foreign() -> list[str]:
    """Directories whose frames are not the student's: ours, Python's, the packages'."""
    modules: list[Any] = [sys.modules.get(name) for name in ("torch", "numpy", "cnnviz", "cnnviz_ref")]
    paths = [os.path.dirname(m.__file__) for m in modules if getattr(m, "__file__", None)]
    return [p + os.sep for p in (_HERE, *(sysconfig.get_path(k) for k in ("stdlib", "purelib", "platlib")), *paths)]

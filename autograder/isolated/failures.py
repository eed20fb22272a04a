"""Exceptions of student code as plain records: nothing of ours shows, nothing of theirs is trusted."""

from __future__ import annotations

import dis
import linecache
import os
import sys
import traceback
from collections import deque
from types import CodeType, FunctionType, TracebackType
from typing import Any

import torch

from .requests import MAX_FRAMES, Error, error_record

_DECORATORS = 20
"""How many a function may have for its own lines to be found."""
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


def error_of(exception: BaseException, function: object = None) -> Error:
    """Type, message, and the student's line: the deepest in the function asked for, else the deepest in their cells."""
    line, source = _own_line(exception.__traceback__, function)
    if isinstance(exception, SyntaxError) and line is None:
        line, source = exception.lineno, exception.text
    own = own_traceback(exception, function)
    kind = "MemoryError" if is_memory_error(exception) else type_name(exception)
    message = exception.msg if isinstance(exception, SyntaxError) else exception
    text = source.strip() if isinstance(source, str) else None
    return error_record(kind, safe_text(message, 500), line=line, source_line=text, frames=_frames(own))


def is_memory_error(exception: BaseException) -> bool:
    """True also for torch's RuntimeErrors that say there is no memory."""
    if isinstance(exception, MemoryError | torch.cuda.OutOfMemoryError):
        return True
    return isinstance(exception, RuntimeError) and any(w in safe_text(exception, 500) for w in _MEMORY_WORDS)


def is_not_attempted(exception: BaseException, function: object) -> bool:
    """A stub's own `raise NotImplementedError`: not a library's, not that of another function which is not written."""
    if not isinstance(exception, NotImplementedError) or (last := exception.__traceback__) is None:
        return False
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    return code is _plain(function)[0] and code.co_code[last.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def own_traceback(exception: BaseException, function: object = None) -> TracebackType | None:
    """The exception's traceback with nothing but the student's own frames; None where it has none of them."""
    space = _plain(function)[1]
    own, trace = [], exception.__traceback__
    while trace is not None:
        own += [trace] if trace.tb_frame.f_globals is space else []
        trace = trace.tb_next
    found = None
    for each in reversed(own):
        found = TracebackType(found, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return found


def _frames(trace: TracebackType | None) -> list[str]:
    """The last of its frames, a line each."""
    walked = deque(traceback.walk_tb(trace), MAX_FRAMES)
    found = []
    for frame, line in walked:
        code = frame.f_code
        text = linecache.getline(code.co_filename, line, frame.f_globals).strip()
        found.append(f"{os.path.basename(code.co_filename)}, line {line}, in {code.co_name}: {text}")
    return found


def _own_line(trace: TracebackType | None, function: object) -> tuple[int | None, str | None]:
    """Frames of libraries are never the student's, nor those of helpers that the function asked for calls."""
    asked, space = _plain(function)
    frames = [(f.f_code, line) for f, line in traceback.walk_tb(trace) if f.f_globals is space and line]
    shown = [(code, line, linecache.getline(code.co_filename, line, space).strip()) for code, line in frames]
    inside = [each for each in shown if asked is not None and each[0] in _codes(asked)]
    found = inside or [each for each in shown if each[2]]
    return found[-1][1:] if found else (None, None)


def _plain(function: Any) -> tuple[CodeType | None, dict[str, Any] | None]:
    """Code and names of a function under its decorators; of anything else the submission's names."""
    try:
        for _ in range(_DECORATORS):
            under = (getattr(function, name, None) for name in ("__wrapped__", "func", "__func__"))
            function = next((each for each in under if each is not None), function)
    except Exception:  # what raises when it is looked at
        function = None
    if isinstance(function, FunctionType):
        return function.__code__, function.__globals__
    return None, getattr(sys.modules.get("student"), "__dict__", None)


def _codes(code: CodeType) -> list[CodeType]:
    """A function's code and that of whatever is defined inside it."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return [code, *(found for each in inner for found in _codes(each))]

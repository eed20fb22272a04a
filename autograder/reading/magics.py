"""A cell as IPython would run it: its magics, shell lines and question marks as Python. Nothing else knows of them."""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from typing import Any

from autograder.reading.trees import parsed

RUN_THEIR_BODY = ("time", "capture", "prun", "debug", "wandb", "pyinstrument", "snakeviz", "scalene")
"""Cell magics that run their body as the notebook's own code; the body of any other is no code of the notebook's."""
MOST_WORK = 1_000_000
"""Characters that are looked at for one cell: IPython begins anew after each magic that it finds."""
_SHELL = "get_ipython"


@lru_cache(maxsize=256)
def as_python(source: str) -> str:
    """Python with the lines of the source; text that IPython cannot run either comes back as it is.

    What parses is Python, and IPython's syntax is only looked for where it does not. `%time x = f()` and the body of
    `%%time` are code, `x = !ls` is an empty list, any other magic is `None`.
    """
    if parsed(source) is None:
        text = _without_magics(source)
        return text if parsed(text) is not None else source
    return _without_calls(source) if _SHELL in source else source


def _without_magics(source: str) -> str:
    """The source with Python for IPython's syntax, in the same lines."""
    from IPython.core.inputtransformer2 import TransformerManager, leading_empty_lines

    manager = TransformerManager()
    lines = [f"{line}\n" for line in source.split("\n")]
    empty = len(lines) - len(leading_empty_lines(lines))
    before, lines = ["\n"] * empty, lines[empty:]
    clean: Any
    for clean in manager.cleanup_transforms:
        lines = clean(lines)
    if lines and lines[0].startswith("%%"):
        name, _, _ = lines[0][2:].strip().partition(" ")
        body = as_python("".join(lines[1:])) if name in RUN_THEIR_BODY else ""
        return "".join([*before, "\n", body])
    work = len(source)
    while work < MOST_WORK:
        changed, after = manager.do_one_token_transform(lines)
        if not changed:
            break
        lines = _as_long(lines, after)
        work += len(source)
    return _without_calls("".join([*before, *lines]).removesuffix("\n"))


def _as_long(lines: list[str], after: list[str]) -> list[str]:
    """A magic that was continued over several lines is one now: empty lines keep the place of what follows."""
    place = next((n for n, (a, b) in enumerate(zip(lines, after, strict=False)) if a != b), len(after) - 1)
    return [*after[: place + 1], *["\n"] * (len(lines) - len(after)), *after[place + 1 :]]


def _without_calls(text: str) -> str:
    """The text with code, or `None`, for calls of the notebook's shell, which nbconvert's scripts hold too."""
    tree = parsed(text)
    if tree is None or _SHELL not in text:
        return text
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_of_the_shell(node)]
    lines = [line.encode() for line in text.split("\n")]
    for call in sorted(calls, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        first, last = call.lineno - 1, (call.end_lineno or call.lineno) - 1
        head, tail = lines[first][: call.col_offset], lines[last][call.end_col_offset :]
        code = _code_of(call, alone=id(call) in statements and not head.strip()).encode()
        lines[first : last + 1] = [head + code + tail, *[b""] * (last - first)]
    return b"\n".join(lines).decode()


def _is_of_the_shell(call: ast.Call) -> bool:
    """`get_ipython().method(...)`."""
    shell = getattr(call.func, "value", None)
    return isinstance(call.func, ast.Attribute) and isinstance(shell, ast.Call) and _named(shell.func) == _SHELL


def _named(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _code_of(call: ast.Call, *, alone: bool) -> str:
    """What the call runs; `alone` where it is a statement and may be replaced by any other."""
    method = getattr(call.func, "attr", "")
    given = [node.value if isinstance(node, ast.Constant) else None for node in call.args]
    name, *rest = [value if isinstance(value, str) else "" for value in given] or [""]
    if method == "getoutput":
        return "[]"
    if method == "run_line_magic" and name == "time" and rest:
        return _timed(rest[0], alone)
    if method == "run_line_magic" and name == "run" and alone and rest and (file := re.match(r"(\w+)\.py\b", rest[0])):
        return f"from {file[1]} import *"
    if method == "run_cell_magic" and name in RUN_THEIR_BODY and alone and not call.col_offset and len(rest) == 2:
        return as_python(rest[1]).rstrip("\n")
    return "None"


def _timed(statement: str, alone: bool) -> str:
    code = as_python(re.sub(r"^(--?[\w-]+\s+)*", "", statement))
    tree = parsed(code)
    if tree is None or "\n" in code.strip():
        return "None"
    is_value = len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)
    return code if alone else f"({code})" if is_value else "None"

"""Docstrings are written with `code` and $formula$; Sphinx reads reStructuredText. Connected to autodoc."""

from __future__ import annotations

import re
from typing import Any


def name_aliases(
    _app: Any, _what: str, _name: str, _value: Any, _options: Any, signature: str | None, returns: str | None
) -> tuple[str | None, str | None]:
    """Sphinx 9 writes an alias inside another type as `TypeAliasForwardRef('Images')`: its name is enough."""
    return _named(signature), _named(returns)


def _named(text: str | None) -> str | None:
    return text and re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text)


def rewrite(_app: Any, _what: str, _name: str, _value: Any, _options: Any, lines: list[str]) -> None:
    """Rewrites the lines in place, before napoleon reads the sections."""
    lines[:] = converted("\n".join(lines)).split("\n")


def converted(text: str) -> str:
    r"""The text with its marks as reStructuredText has them; examples stay as they are.

    >>> converted(r"Maps `[N h w]` of $\\alpha$.")
    'Maps ``[N h w]`` of :math:`\\\\alpha`.'
    """
    parts = re.split(r"(^[ \t]*>>> .*?(?=\n[ \t]*\n|\Z))", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.lstrip().startswith(">>>") else _marks(part) for part in parts)


def _marks(text: str) -> str:
    pieces = re.split(r"(`[^`]+`|(?<![\\$\w])\$[^$]+\$)", text)
    return "".join(_piece(piece) for piece in pieces)


def _piece(piece: str) -> str:
    if piece.startswith("`"):
        return f"`{piece}`"
    return f":math:`{piece[1:-1]}`" if piece.startswith("$") else piece.replace("|", r"\|")

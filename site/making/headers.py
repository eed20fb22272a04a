"""The head of a column may be empty, mostly the corner's; whoever hears the page needs a word there."""

from __future__ import annotations

from typing import Any

from docutils import nodes

CORNER, OTHER = "row", "no heading"


def name_empty_heads(_app: Any, doctree: nodes.document, _page: str) -> None:
    """Puts a word that only a screen reader speaks into every empty head of a column."""
    for head in doctree.findall(nodes.thead):
        for row in head.findall(nodes.row):
            for number, entry in enumerate(row.findall(nodes.entry)):
                if not entry.astext().strip():
                    entry += nodes.inline("", OTHER if number else CORNER, classes=["visually-hidden"])

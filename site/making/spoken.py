"""What whoever hears a page needs: words in empty heads of columns, and the words that others see on a fold."""

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


def name_folds(_app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """MyST-NB calls every fold "Toggle hidden content"; what stands on it says more."""
    if "body" in context:
        context["body"] = context["body"].replace('<summary aria-label="Toggle hidden content">', "<summary>")

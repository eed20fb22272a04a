"""The terminal. Nothing else in the product writes to one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType
from rich.protocol import rich_cast
from rich.segment import Segment
from rich.text import Text as AnyText

from autograder.text.words import Line, visible


class Text(AnyText):
    """Coloured text; harmless from the beginning, so that its width is known."""

    def __init__(self, text: str = "", style: str = "", **options: Any) -> None:
        super().__init__(visible(text), style, **options)

    def append(self, text: AnyText | str, style: Any = None) -> AnyText:
        """More at its end."""
        return super().append(visible(text) if isinstance(text, str) else text, style)

    @classmethod
    def assemble(cls, *parts: Any, **options: Any) -> Text:
        """Pieces of text and, where they have one, their styles."""
        return cast(Text, super().assemble(*parts, **options))


class Screen(Console):
    """Says lines and draws tables. Nothing in them is obeyed: markup stays text, and what steers a terminal is
    replaced wherever in a table, a title or a bar it stands."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def say(self, sentence: Line, style: str = "") -> None:
        """One sentence on a line of its own, which only the terminal itself breaks."""
        super().print(sentence, style=style, soft_wrap=True)

    def print(self, *parts: ConsoleRenderable, **options: Any) -> None:  # type: ignore[override]
        """Draws tables, paragraphs and coloured text; a plain `str` is for `say`."""
        super().print(*parts, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What everything that is drawn, and each part of it, goes through."""
        return super().render(_harmless(rich_cast(renderable)), options)


def _harmless(part: RenderableType) -> RenderableType:
    """The same look: a replacement character for a character, so that colours stay where they were."""
    if isinstance(part, str):
        return visible(part)
    if isinstance(part, AnyText) and part.plain != visible(part.plain):
        part = part.copy()
        part.plain = visible(part.plain)
    return part

"""The pictures that a check draws, out of the panel that it shows in a notebook."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html.parser import HTMLParser


@dataclass(frozen=True)
class Drawn:
    """One picture of a panel."""

    png: bytes
    alt: str


def drawn(html: str) -> list[Drawn]:
    """The pictures in the order of the panel, each once."""
    reader = _Reader()
    reader.feed(html)
    return list(dict.fromkeys(reader.found))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Drawn] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes PNGs that stand inside the page."""
        given = dict(attrs)
        kind, _, data = (given.get("src") or "").partition(";base64,")
        if tag == "img" and kind == "data:image/png":
            self.found.append(Drawn(base64.b64decode(data), given.get("alt") or ""))

"""Follows every link inside the built pages, and finds what a page would load from the network."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"script": "src", "img": "src", "link": "href", "source": "src", "iframe": "src", "audio": "src"}
"""Element -> the attribute by which it loads something."""


@dataclass
class Page(HTMLParser):
    """What one page refers to and what it can be referred to by."""

    targets: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    without_alt: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collects addresses and anchors."""
        given = dict(attrs)
        self.ids.update(value for key in ("id", "name") if (value := given.get(key)))
        self.without_alt += tag == "img" and given.get("alt") is None
        if tag == "a" and given.get("href"):
            self.targets.append(str(given["href"]))
        if (address := given.get(LOADED.get(tag, ""))) and given.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(address)


def broken(html: Path) -> Iterator[str]:
    """A sentence for each link that leads nowhere, each picture without words, each address on the network."""
    found = [path for path in sorted(html.rglob("*.html")) if path.relative_to(html).parts[0] != "_static"]
    pages = {path.relative_to(html).as_posix(): _read(path) for path in found}
    for name, page in pages.items():
        if page.without_alt:
            yield f"{name}: {page.without_alt} pictures have no alternative text."
        for address in page.loaded:
            if urlsplit(address).netloc:
                yield f"{name}: loads {address} from the network; put it beside the pages."
        for address in [*page.targets, *page.loaded]:
            if not _stands(html, pages, name, address):
                yield f"{name}: the link {address} leads nowhere."


def _stands(html: Path, pages: dict[str, Page], name: str, address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return True
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
    if path in pages:
        return not parts.fragment or unquote(parts.fragment) in pages[path].ids
    return (html / path).is_file() and not parts.fragment


def _read(path: Path) -> Page:
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page

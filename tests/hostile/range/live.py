"""Finds what a page, a terminal or a spreadsheet would obey instead of showing."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

_RUN = ("script", "iframe", "frame", "object", "embed", "applet", "form", "base", "link", "svg", "video",
        "audio", "source", "input", "button", "template", "portal")  # fmt: skip
_LINKS = ("href", "src", "srcdoc", "srcset", "action", "formaction", "data", "poster", "xlink:href", "background")
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COMMAND = re.compile(r"\s*::[A-Za-z][\w-]*.*::|##\[\w+")
_FORMULA = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def live_in_page(text: str) -> list[str]:
    """Elements that run or load something, event handlers, links that leave the page: our pages have none."""
    reader = _Page()
    reader.feed(text)
    reader.close()
    return reader.found


def live_in_table(text: str) -> list[str]:
    """Cells of a CSV file that a spreadsheet takes for a formula."""
    csv.field_size_limit(2**31 - 1)
    readable = text.replace("\0", "")  # Python 3.10 refuses it
    cells = [cell for row in csv.reader(io.StringIO(readable, newline="")) for cell in row]
    return [f"the cell {cell[:60]!r}" for cell in cells if _FORMULA.match(cell) and not _number(cell)]


def live_in_terminal(text: str) -> list[str]:
    """Characters that steer a terminal, or turn the direction of what follows."""
    found = _OBEYED.search(text.replace("\r\n", "\n"))
    return [f"the character {found[0]!r} in the terminal"] if found else []


def live_in_log(text: str) -> list[str]:
    """Lines that GitHub's runner obeys where the command runs in a workflow."""
    return [f"the workflow command {line[:60]!r}" for line in text.splitlines() if _COMMAND.match(line)]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _RUN:
            self.found.append(f"the element <{tag}>")
        for name, value in attrs:
            refresh = tag == "meta" and (value or "").lower() == "refresh"
            if _harmless(tag, name, value or ""):
                continue
            if name.startswith("on") or refresh or name in _LINKS or "javascript:" in (value or "").lower():
                self.found.append(f'the attribute {name}="{(value or "")[:60]}"')


def _harmless(tag: str, name: str, value: str) -> bool:
    """A link within the page, a picture that the page itself holds."""
    inside = re.fullmatch(r"#[\w.-]+", value) is not None
    held = re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+", value) is not None
    return ((tag, name) == ("a", "href") and inside) or ((tag, name) == ("img", "src") and held)


def _number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True

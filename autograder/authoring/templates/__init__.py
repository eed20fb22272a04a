"""The texts that `cnnviz build` fills in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2

from autograder.text.words import counted


def stars(difficulty: int) -> str:
    """A difficulty of 1 to 3, drawn: "★★☆"."""
    return "★" * difficulty + "☆" * (3 - difficulty)


def code_like(text: str) -> str:
    """A hint of code-like steps as it stands, unless it is Markdown already."""
    return text if "`" in text or "$" in text else f"```text\n{text}\n```"


def cell(text: str) -> str:
    """A text on one line, fit for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def title_of(name: str) -> str:
    """A name as a heading: "Two blurs"."""
    return name.replace("_", " ").capitalize()


_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.filters |= {"counted": counted, "stars": stars, "cell": cell, "code_like": code_like, "title_of": title_of}


def render(template: str, **values: Any) -> str:
    """The template filled in, ending in one newline."""
    return _ENVIRONMENT.get_template(template).render(**values).strip("\n") + "\n"

"""Verdicts as HTML: the panel under a notebook's check cell, and whole pages. Whatever a template shows is escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from autograder.core.verdict import LATER
from autograder.report.tables import MARKS
from autograder.text.formulas import in_sentence
from autograder.text.words import printable, shown, visible


@cache
def environment() -> jinja2.Environment:
    """The templates; what they show is escaped as HTML, and without what a browser or a terminal would obey."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder"), autoescape=True, finalize=_harmless,
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals["later"] = LATER
    made.globals["marks"] = {verdict: sign for verdict, (sign, _) in MARKS.items()}
    made.filters |= {"number": "{:.4g}".format, "shown": shown, "line": printable, "set": in_sentence}
    return made


def _harmless(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def panel(section: Any) -> Markup:
    """The panel of one exercise (`feedback.Section`)."""
    return page("panel.html.j2", section=section)


def page(template: str, **values: Any) -> Markup:
    """A whole page from a template."""
    return Markup(environment().get_template(template).render(**values))


def write(path: Path, made: Markup) -> None:
    """The one way of a page to a file."""
    path.write_text(made, encoding="utf-8")

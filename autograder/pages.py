"""Verdicts as HTML: the panel under a notebook's check cell, and whole pages. All student text is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import jinja2

from autograder.judge import Graded
from autograder.pictures import Picture
from autograder.tables import MARKS, messages
from autograder.verdict import summary, total


@cache
def environment() -> jinja2.Environment:
    """The templates, with autoescape for everything."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(summary=summary, total=total, messages=messages, marks={v: m[0] for v, m in MARKS.items()})
    return made


def panel(graded: Graded, pictures: Sequence[Picture]) -> str:
    """The panel of one exercise."""
    return environment().get_template("panel.html.j2").render(graded=graded, pictures=pictures)


def page(template: str, **values: Any) -> str:
    """A whole page from a template."""
    return environment().get_template(template).render(**values)

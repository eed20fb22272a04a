"""A lesson's files as they are handed out. Installed courses have them; in a clone students write in them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from autograder.course.locations import COURSE, LESSONS, PACKAGE, SOLUTIONS
from autograder.course.outlines import Outline


def handed_out(outline: Outline, file: str) -> str:
    """The text of the module or of the notebook; in a clone it is made anew, which takes a few seconds.

    Raises:
        ValueError: a clone whose texts break the rules of `cnnviz build`.
    """
    if COURSE == PACKAGE:
        return (LESSONS / outline.id / file).read_text(encoding="utf-8")
    return _made(outline.id)[file].decode()


@cache
def _made(lesson: str) -> Mapping[str, bytes]:
    """File name -> content."""
    from autograder.authoring.build import LESSON, outputs
    from autograder.course import authored

    made = outputs(COURSE, authored.lesson(SOLUTIONS / lesson))
    return {path.rpartition("/")[2]: content for path, content in made.items() if path.startswith(f"{LESSON}/")}

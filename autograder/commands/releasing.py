"""`cnnviz release`: what an instructor hands out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import Root, err, one_sentence, out
from autograder.text.words import printable


def release(
    to: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to.")],
    lessons: Annotated[
        list[str] | None, typer.Option("--lessons", metavar="LESSON", help="Only these: 10,11 or given again.")
    ] = None,
    wheel_url: Annotated[
        str, typer.Option("--wheel-url", metavar="URL", help="Where notebooks on Colab download the wheel from.")
    ] = "",
    root: Root | None = None,
) -> None:
    """Write what students get: lessons, and a wheel that checks them and holds no answer; also as one zip."""
    from autograder.course.locations import COURSE
    from autograder.kit.release import release as write

    course = root or (Path() if Path("solutions").is_dir() else COURSE)

    with one_sentence(), err.status("Every answer is computed once and written down as numbers"):
        named = [name for names in lessons or () for name in names.split(",")]
        made = write(course, to, named or None, wheel_url=wheel_url)
    for note in made.notes:
        err.say(printable(note))
    for path in (made.wheel, made.archive):
        out.say(printable(f"{path}  {path.stat().st_size / 1e6:.1f} MB"))
    out.say(printable(f"{len(made.lessons)} lesson(s) are in {made.folder}; hand out the zip."))

"""`cnnviz export gradescope` and `github-classroom`: what makes another system grade."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.grading import RungName, SecretFile
from autograder.commands.shared import one_sentence, out
from autograder.text.words import printable

Lesson = Annotated[str, typer.Argument(metavar="LESSON", help="11_grad_cam, grad_cam or 11.")]


def gradescope(
    lesson: Lesson,
    to: Annotated[Path, typer.Option("--out", metavar="ZIP", help="The autograder zip to upload.")],
    wheel: Annotated[
        Path | None, typer.Option("--wheel", metavar="FILE", help="The course as a wheel, in place of this checkout.")
    ] = None,
    requirements: Annotated[
        Path | None,
        typer.Option("--requirements", metavar="FILE", help="Pinned versions, in place of the course's."),
    ] = None,
    rung: RungName = None,
    allow_unsandboxed: Annotated[
        bool, typer.Option("--allow-unsandboxed", help="Also where the container can only limit time and memory.")
    ] = False,
    hidden_cases: Annotated[
        str, typer.Option(metavar="WHEN", help="visible, after_due_date, after_published or hidden: their verdicts.")
    ] = "visible",
    secret: SecretFile = None,
) -> None:
    """Make the zip that Gradescope builds its autograder from. It holds the answer key: for instructors only."""
    from autograder.batch.secret import course_secret
    from autograder.course import registry
    from autograder.exports.gradescope import autograder_zip

    with one_sentence():
        data = autograder_zip(
            registry.lesson(lesson), secret=course_secret(secret), wheel=wheel, requirements=requirements,
            allow_unsandboxed=allow_unsandboxed, rung=rung, hidden_cases=hidden_cases,
        )  # fmt: skip
        to.write_bytes(data)
    out.say(printable(f"{to}: {len(data) / 1e6:.1f} MB, with the answer key in it: upload it, give it to no student."))


def github_classroom(
    lesson: Lesson,
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="The template repository of the assignment.")],
    install: Annotated[
        str | None, typer.Option("--install", metavar="COMMAND", help="Installs the course in the repository.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="Without GitHub Classroom's own actions: points in the run's summary.")
    ] = False,
) -> None:
    """Write the workflow that reports points in a student's repository. For practice: it can be forged there."""
    from autograder.course import registry
    from autograder.exports import classroom

    with one_sentence():
        found = registry.lesson(lesson)
        path = to / classroom.WORKFLOW
        path.parent.mkdir(parents=True, exist_ok=True)
        text = classroom.workflow(found, install=install or classroom.INSTALL, plain=plain)
        path.write_text(text, encoding="utf-8")
    out.say(printable(f"{path}: {len(found.items)} steps, {found.points} points."))
    out.say(
        printable(
            "For practice only: students can change what runs in their own repositories. Grade with `cnnviz grade`."
        )
    )

"""`cnnviz export csv`, `canvas`, `blackboard`, `brightspace`, `moodle`: grades where the instructor keeps grades."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.grading import Results, SecretFile, opened
from autograder.commands.shared import Lessons, chosen, one_sentence, out
from autograder.text.words import counted, printable

if TYPE_CHECKING:
    from autograder.exports.merging import Told
    from autograder.exports.standing import Standing

Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write; another file than the one read.")]
Roster = Annotated[
    Path | None,
    typer.Option("--roster", metavar="FILE", help="Class list: student, and SIS Login ID, ID, email or name."),
]
Submitted = Annotated[
    Path | None,
    typer.Option("--submitted", metavar="DIR", help="What was graded, as the platform made it: tells who was late."),
]
Scale = Annotated[bool, typer.Option("--scale", help="Convert points where the column has another maximum.")]
Replace = Annotated[bool, typer.Option("--replace", help="Also where another grade stands already.")]


def as_csv(
    results: Results,
    to: Out,
    lessons: Lessons = None,
    roster: Roster = None,
    submitted: Submitted = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin with the mark by which Excel knows UTF-8.")] = False,
    secret: SecretFile = None,
) -> None:
    """A table with a row for each student, and points and status of every exercise."""
    from autograder.exports.roster import read_roster
    from autograder.exports.spreadsheet import table

    with one_sentence():
        found = _standings(results, lessons, secret, submitted)
        people = read_roster(roster) if roster else {}
        _write(to, table(found, roster=people, late=submitted is not None, bom=bom))
    for sentence in _unjudged(found):
        out.say(printable(sentence))
    out.say(printable(f"{counted(len(found), 'student')} with work in {to}."))


def _gradebook(platform: str) -> Callable[..., None]:
    """The command of a platform that exports its gradebook and takes it back."""

    def command(
        results: Results,
        gradebook: Annotated[Path, typer.Option("--gradebook", metavar="FILE", help="As the platform exported it.")],
        to: Out,
        column: Annotated[
            str | None, typer.Option("--column", metavar="HEADING", help='Such as "Lab 3 (12345)", "Lab 3" or 12345.')
        ] = None,
        lessons: Lessons = None,
        roster: Roster = None,
        submitted: Submitted = None,
        scale: Scale = False,
        replace: Replace = False,
        secret: SecretFile = None,
    ) -> None:
        from autograder.exports.csv_file import read
        from autograder.exports.roster import read_roster

        with one_sentence():
            _refuse_same(to, gradebook)
            sheet = read(gradebook, "gradebook")
            told = import_module(f"autograder.exports.{platform}").merged(
                sheet, _standings(results, lessons, secret, submitted), column=column,
                roster=read_roster(roster) if roster else None, scale=scale, replace=replace,
            )  # fmt: skip
            _write(to, bytes(sheet))
        _tell(told)

    command.__doc__ = (
        f"Merge grades into a gradebook that {platform.capitalize()} exported. Exit status 1 if a student is not in it."
    )
    return command


canvas, blackboard, brightspace = map(_gradebook, ("canvas", "blackboard", "brightspace"))


def moodle(
    results: Results,
    to: Out,
    worksheet: Annotated[
        Path | None, typer.Option("--worksheet", metavar="FILE", help="Offline grading worksheet; else a grade import.")
    ] = None,
    grade_column: Annotated[str | None, typer.Option(metavar="HEADING", help="Where grades go.")] = None,
    feedback_column: Annotated[str | None, typer.Option(metavar="HEADING", help="Where feedback goes.")] = None,
    lessons: Lessons = None,
    roster: Roster = None,
    submitted: Submitted = None,
    scale: Scale = False,
    replace: Replace = False,
    secret: SecretFile = None,
) -> None:
    """Merge grades and feedback into Moodle's grading worksheet. Exit status 1 if a student is not in it."""
    from autograder.exports import moodle as format_
    from autograder.exports.csv_file import read
    from autograder.exports.roster import read_roster

    with one_sentence():
        people = read_roster(roster) if roster else {}
        found = _standings(results, lessons, secret, submitted)
        if worksheet is None:
            _write(to, format_.import_table(found, people))
        else:
            _refuse_same(to, worksheet)
            sheet = read(worksheet, "worksheet")
            told = format_.merged(
                sheet, found, grade_column=grade_column, feedback_column=feedback_column,
                roster=people, scale=scale, replace=replace,
            )  # fmt: skip
            _write(to, bytes(sheet))
    if worksheet is not None:
        _tell(told)
        return
    for sentence in _unjudged(found):
        out.say(printable(sentence))
    out.say(printable(f"{counted(len(found), 'student')} in {to}."))


def _standings(results: Path, lessons: list[str] | None, secret: Path | None, submitted: Path | None) -> list[Standing]:
    from autograder.batch.chain import refuse_differing
    from autograder.course import registry
    from autograder.course.choices import choices
    from autograder.exports.late import late, untimed
    from autograder.exports.merging import listed
    from autograder.exports.standing import standings

    wanted = list(map(registry.lesson, chosen(lessons)))
    store, _ = opened(results, secret)
    refuse_differing(store)
    known = list(store.results())
    counting = {lesson.id for lesson in wanted or registry.lessons()} & {result.lesson for result in known}
    came = late(submitted, min(counting) if len(counting) == 1 else "") if submitted else None
    found = standings(known, wanted, came.days if came else {})
    if came is None and choices().deadlines:
        out.say(printable("Deadlines are set, and without --submitted nobody counts as late."))
    elif came is not None and (rest := untimed(found, came)):
        told = "the time of a hand-in is not known, so that it counts as in time"
        out.say(printable(f"Of {counted(len(rest), 'student')} {told}: {listed(rest)}."))
    return found


def _unjudged(standings: list[Standing]) -> list[str]:
    return [f'No points for "{one.student}": {why}' for one in standings if (why := one.unjudged())]


def _refuse_same(to: Path, source: Path) -> None:
    if to.exists() and source.exists() and to.samefile(source):
        raise ValueError(f"--out: {to} is the file that is read; name another one, so that nothing is lost.")


def _write(to: Path, data: bytes) -> None:
    if not to.resolve().parent.is_dir():
        raise ValueError(f"--out: the folder of {to} does not exist; create it first.")
    to.write_bytes(data)


def _tell(told: Told) -> None:
    for sentence in told.sentences:
        out.say(printable(sentence))
    if told.unmatched:
        raise typer.Exit(1)

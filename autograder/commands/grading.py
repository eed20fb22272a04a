"""`cnnviz grade` and `cnnviz verify`: a class of strangers, graded; and whether the results are as they were signed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.shared import Device, Lessons, checked_device, chosen, err, one_sentence, out
from autograder.text.words import counted, printable

if TYPE_CHECKING:
    from autograder.batch.results import Store

Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, metavar="N", help="Worker processes; as many as cores without it.")
]
Dask = Annotated[
    str | None, typer.Option("--dask", metavar="ADDRESS", help="A Dask scheduler, such as tcp://10.0.0.1:8786.")
]
SecretFile = Annotated[
    Path | None,
    typer.Option("--secret", metavar="FILE", help="Holds the course secret; else CNNVIZ_SECRET, else .cnnviz_secret."),
]
Seconds = Annotated[
    float | None, typer.Option("--seconds", min=0.1, metavar="S", help="No exercise gets more wall-clock time.")
]
RungName = Annotated[
    str | None, typer.Option("--rung", metavar="NAME", help="bubblewrap, landlock or rlimits; the best without it.")
]
Unsandboxed = Annotated[
    bool, typer.Option("--allow-unsandboxed", help="Also where this machine can only limit time and memory.")
]
Accept = Annotated[
    bool,
    typer.Option("--accept-differences", help="Go on where RESULTS is not as it was signed, and record it."),
]
Results = Annotated[Path, typer.Argument(metavar="RESULTS", help="The folder that `cnnviz grade --out` wrote.")]


def grade(
    submitted: Annotated[Path, typer.Argument(metavar="SUBMITTED", help="A folder or a zip of what was handed in.")],
    to: Annotated[Path, typer.Option("--out", metavar="RESULTS", help="Where results go, and are found again.")],
    jobs: Jobs = None,
    dask: Dask = None,
    lessons: Lessons = None,
    skip: Annotated[
        list[str] | None,
        typer.Option("--skip", metavar="NAME", help="Run nothing of this student; may be given again."),
    ] = None,
    secret: SecretFile = None,
    device: Device = "cpu",
    seconds: Seconds = None,
    rung: RungName = None,
    allow_unsandboxed: Unsandboxed = False,
    accept_differences: Accept = False,
) -> None:
    """Grade a class; killed at any moment, the same command goes on. Exit status 1 if anything was not judged."""
    from autograder.batch.collect import collect
    from autograder.batch.grade_class import grade_all, skipping
    from autograder.batch.results import Store
    from autograder.batch.secret import course_secret
    from autograder.commands.class_progress import Progress, told_of
    from autograder.course import registry

    with one_sentence():
        checked_device(device)
        checked_rung(rung, allow_unsandboxed)
        named = chosen(lessons)
        handed = skipping(collect(submitted, [registry.lesson(name).id for name in named]), skip or ())
        known = course_secret(secret, make=not (to / "course.json").exists(), submitted=submitted)
        with Progress(handed, err) as progress, ctrl_c(to):
            summary = grade_all(
                handed, Store(to, known), secret=known, device=device, seconds=seconds,
                jobs=jobs or cores(), dask=dask, rung=rung, told=progress.told, begun=progress.begun,
                accept=accept_differences,
            )  # fmt: skip
    for line, style in told_of(summary, to):
        out.say(line, style)
    raise typer.Exit(1 if summary.unjudged else 0)


def verify(results: Results, secret: SecretFile = None) -> None:
    """Say what in RESULTS is not as it was signed. Exit status 0 if all is well, else 1."""
    from autograder.batch.chain import accepted
    from autograder.batch.chain import named as named_manifest
    from autograder.batch.verifying import problems

    with one_sentence():
        store, _ = opened(results, secret)
        found, number = problems(store), len(list(store.results()))
        known, manifest = list(accepted(store)), named_manifest(store)
    for sentence in (*found, *known):
        out.say(printable(sentence))
    if found:
        out.say(printable(f"{counted(len(found), 'problem')}."))
        raise typer.Exit(1)
    out.say(printable(f"{number} results, all signed by this course's secret; {manifest}."))


@contextmanager
def ctrl_c(results: Path) -> Iterator[None]:
    """Ctrl-C ends the command with what to do next."""
    try:
        yield
    except KeyboardInterrupt:
        err.say(printable(f"Stopped. What is known is in {results}; run the same command again to go on."))
        raise typer.Exit(130) from None


def opened(results: Path, secret: Path | None) -> tuple[Store, str]:
    """The results that are there, and the secret.

    Raises:
        ValueError: there are none, or they are signed with another secret.
    """
    from autograder.batch.results import Store
    from autograder.batch.secret import course_secret

    if not (results / "results").is_dir():
        raise ValueError(f"results: {results} holds no results; name the folder that `cnnviz grade --out` wrote.")
    known = course_secret(secret, make=False)
    return Store(results, known), known


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def checked_rung(name: str | None, allowed: bool) -> None:
    """Refuses a rung that is not there, and the lowest one where it was not asked for.

    Raises:
        ValueError: unknown, not offered here, or not a sandbox.
    """
    from autograder.isolated.rungs import RUNGS, chosen

    found = chosen(name)
    if found.name != RUNGS[-1].name:
        return
    if not allowed:
        raise ValueError(
            f'rung: got "{found.name}", which limits time and memory but hides no file and no network; '
            "install bubblewrap, or add --allow-unsandboxed."
        )
    told = "student code can read this machine's files, the course secret among them, and use the network."
    err.say(printable(f"NOT SANDBOXED: {told}"), "bold red")

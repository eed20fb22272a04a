"""`cnnviz redteam`: fires the shipped attacks at this installation's own grader."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from autograder.commands.shared import err, one_sentence, out

Rungs = Annotated[list[str] | None, typer.Option("--rung", metavar="NAME", help="Only on this rung; all offered.")]
Classes = Annotated[list[str] | None, typer.Option("--class", metavar="NAME", help="Only this class of attacks.")]
Names = Annotated[list[str] | None, typer.Option("--attack", metavar="NAME", help="Only this attack.")]
Jobs = Annotated[int, typer.Option("--jobs", min=1, metavar="N", help="Worker processes of the grader.")]
Seconds = Annotated[float, typer.Option("--seconds", min=0.5, metavar="S", help="The longest one exercise may take.")]


def redteam(
    rungs: Rungs = None, classes: Classes = None, attacks: Names = None, jobs: Jobs = 2, seconds: Seconds = 3.0
) -> None:
    """Attack this installation's grader with every known trick. Exit status 1 if a promise was broken."""
    from autograder.isolated.rungs import chosen as rung_of
    from autograder.isolated.rungs import offered
    from autograder.redteam.attacks import chosen, find_attacks
    from autograder.redteam.firing import Range
    from autograder.redteam.looking import SENTENCES, looks_from
    from autograder.redteam.tables import counts, table

    with one_sentence():
        if not sys.platform.startswith("linux"):
            raise ValueError(f"redteam: this system is {sys.platform}, allowed is linux; run it where you grade.")
        wanted = chosen(find_attacks(), classes or (), attacks or ())
        names = [rung_of(name).name for name in rungs or offered()]
    shots = []
    for name in names:
        with one_sentence(), err.status(f"{len(wanted)} attacks on the rung {name}"):
            shots += Range(name, jobs=jobs, seconds=seconds).shots(wanted)
    out.print(table(shots))
    out.print(counts(shots), highlight=False)
    for name in names:
        out.print(f"{name}: {SENTENCES[looks_from(name)]}", highlight=False)
    raise typer.Exit(0 if all(shot.held for shot in shots) else 1)

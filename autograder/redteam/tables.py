"""The red team's report: one line an attack, one column a rung, and a last line with counts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from autograder.redteam.firing import Shot
from autograder.words import printable

PROMISED = {
    "points": "no undeserved point",
    "innocent": "no innocent point lost",
    "lost": "no submission lost",
    "leak": "nothing leaks",
    "left behind": "nothing stays behind",
    "hang": "it comes to an end",
    "batch": "the batch goes on",
    "live": "nothing runs in a report",
}
"""Promise -> how the table says it."""


def table(shots: Sequence[Shot]) -> Table:
    """Class, attack, promise, and what became of it on each rung."""
    rungs = list(dict.fromkeys(shot.rung for shot in shots))
    made = Table("class", "attack", "promise", *rungs, title="red team", title_justify="left", title_style="bold")
    by_attack: dict[str, list[Shot]] = {}
    for shot in shots:
        by_attack.setdefault(shot.attack.name, []).append(shot)
    for name, row in by_attack.items():
        attack, outcomes = row[0].attack, {shot.rung: outcome(shot) for shot in row}
        title = Text(f"{name.split('/')[1]}: {attack.title}")
        made.add_row(attack.kind, title, PROMISED[attack.promise], *(outcomes.get(rung, Text("")) for rung in rungs))
    return made


def outcome(shot: Shot) -> Text:
    """held, NOT HELD and what was seen, or not promised."""
    if shot.seen is None:
        return Text("not promised on this rung", style="dim")
    if shot.held:
        return Text("✓ held", style="green")
    return Text(f"✗ NOT HELD {printable('; '.join(f'{k}: {what}' for k, what in shot.seen.items()))}", style="bold red")


def counts(shots: Sequence[Shot]) -> str:
    """The last line."""
    made = [shot for shot in shots if shot.seen is not None]
    held, skipped = sum(shot.held for shot in made), len(shots) - len(made)
    beside = f" {skipped} not promised on their rung." if skipped else ""
    return f"{held} of {len(made)} attacks held, {len(made) - held} not held.{beside}"

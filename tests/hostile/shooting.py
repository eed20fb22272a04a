"""What the tests of attacks share: each rung's attacks in one batch, and the weakened grader's, class by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.isolated.rungs import reasons
from autograder.redteam.attacks import Attack, find_attacks
from autograder.redteam.canaries import Canaries
from autograder.redteam.firing import Range, of_all
from autograder.redteam.promises import achieved
from tests.hostile.containment import no_containment, weak_aftermaths

ATTACKS = find_attacks()


def attacks_on(rung: str) -> list[Attack]:
    """Those that the rung promises to stop."""
    return [attack for attack in ATTACKS if attack.promised_on(rung)]


def beats_the_weak(*kinds: str) -> list[Attack]:
    """Those of some classes that the weakened grader falls for."""
    return [attack for attack in ATTACKS if attack.weak and attack.kind in kinds]


def name_of(attack: Attack) -> str:
    """How pytest shows it."""
    return attack.name


@dataclass(frozen=True)
class Salvo:
    """All attacks on one rung, in one batch, after one without any."""

    each: Mapping[str, Mapping[str, str]]
    """Attack's name -> what it got, beside what befell the whole batch."""
    whole: Mapping[str, str]


def salvo(rung: str) -> Salvo:
    """Fires; skips the tests where the machine does not offer the rung."""
    if reason := reasons()[rung]:
        pytest.skip(f"this machine does not offer {rung}: {reason}")
    shots = Range(rung, jobs=2).shots(attacks_on(rung), whose=False)
    whole = of_all(shots)
    each = {s.attack.name: {kind: w for kind, w in (s.seen or {}).items() if kind not in whole} for s in shots}
    return Salvo(each, whole)


def weak_salvo(attacks: Sequence[Attack], to: Path) -> dict[str, dict[str, str]]:
    """Attack's name -> what it achieved against the weakened grader."""
    if reason := no_containment():
        pytest.skip(f"the weakened grader cannot be contained here: {reason}")
    canaries = Canaries.fresh()
    after = weak_aftermaths(attacks, canaries, to)
    return {attack.name: achieved(attack, after[attack.name], after["clean"], canaries) for attack in attacks}

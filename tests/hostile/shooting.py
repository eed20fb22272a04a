"""What the tests of attacks share: each rung's attacks in one batch, and the weakened grader's, class by class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from autograder.isolated.rungs import reasons
from tests.hostile.containment import no_containment, weak_outcomes
from tests.hostile.range.attacks import Attack, find_attacks
from tests.hostile.range.canaries import Canaries
from tests.hostile.range.front import Salvo
from tests.hostile.range.grade import Grade
from tests.hostile.range.judges import achieved

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


def salvo(rung: str) -> Salvo:
    """Fires; skips the tests where the machine does not offer the rung."""
    if reason := reasons()[rung]:
        pytest.skip(f"this machine does not offer {rung}: {reason}")
    return Grade(rung).salvo(attacks_on(rung))


def weak_salvo(attacks: Sequence[Attack], to: Path) -> dict[str, dict[str, str]]:
    """Attack's name -> what it achieved against the weakened grader."""
    if reason := no_containment():
        pytest.skip(f"the weakened grader cannot be contained here: {reason}")
    canaries = Canaries.fresh()
    after = weak_outcomes(attacks, canaries, to)
    return {attack.name: achieved(attack, after[attack.name], after["clean"], canaries) for attack in attacks}

"""What the tests of attacks share: each front's attacks in one batch, and the weakened grader's, class by class."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from autograder.isolated.rungs import best, reasons
from tests.hostile.containment import no_containment, weak_outcomes
from tests.hostile.range.attacks import CLASSES, LESSON, Attack, find_attacks
from tests.hostile.range.canaries import Canaries
from tests.hostile.range.course import DEMO
from tests.hostile.range.front import Front, Salvo
from tests.hostile.range.grade import Grade
from tests.hostile.range.judges import achieved

ATTACKS = find_attacks()


SANDBOXED = ("forge", "steal", "exhaust", "crash", "persist")
"""Classes whose end depends on how far code is confined; what is read and shown is the same on every rung."""


def attacks_on(rung: str, front: str = "grade") -> list[Attack]:
    """Those of one front that the rung promises to stop: all on the best rung, what meets the sandbox on the others."""
    kinds = CLASSES if rung == best().name else SANDBOXED
    return [a for a in ATTACKS if a.fired_at(front) and a.promised_on(rung) and a.kind in kinds]


def beats_the_weak(*kinds: str) -> list[Attack]:
    """Those of some classes that the weakened grader falls for."""
    return [attack for attack in ATTACKS if attack.weak and attack.kind in kinds]


def name_of(attack: Attack) -> str:
    """How pytest shows it."""
    return attack.name


def chosen(request: pytest.FixtureRequest) -> list[Attack]:
    """The attacks that the tests of this module that run are about: with `-k NAME` one of them."""
    calls = (getattr(item, "callspec", None) for item in request.session.items if item.path == request.path)
    return [call.params["attack"] for call in calls if call]


def salvo(request: pytest.FixtureRequest, rung: str) -> Salvo:
    """The chosen attacks at `cnnviz grade`; skips the tests where the machine does not offer the rung."""
    if reason := reasons()[rung]:
        pytest.skip(f"this machine does not offer {rung}: {reason}")
    return Grade(rung).salvo(chosen(request))


def salvo_at(request: pytest.FixtureRequest, kind: type[Front]) -> Salvo:
    """The chosen attacks at another front on the best rung, and the two whose success must be seen."""
    return kind(best().name).salvo([*chosen(request), UNDESERVED, DESERVED])


class Right(Attack):
    """Hands in right answers."""

    def hand_in(self, to: Path) -> None:
        """A module."""
        shutil.copytree(DEMO / "right" / LESSON, to)


class Nothing(Attack):
    """Hands in a module without any answer."""

    def hand_in(self, to: Path) -> None:
        """A module."""
        to.mkdir(parents=True)
        (to / "grad_cam.py").write_text("import torch\n", encoding="utf-8")


_ABOUT = ("a front must see its success", "points", "points", "rlimits", True)
UNDESERVED = Right(Path("forge/undeserved"), *_ABOUT, student="~right")
DESERVED = Nothing(Path("forge/deserved"), *_ABOUT, student="~nothing", deserved={"grad_cam.capture": 7})
"""A suite that cannot fail proves nothing: one has points that it is said not to deserve, one the reverse."""


def weak_salvo(request: pytest.FixtureRequest, to: Path) -> dict[str, dict[str, str]]:
    """Name of a chosen attack -> what it achieved against the weakened grader."""
    attacks = chosen(request)
    if reason := no_containment():
        pytest.skip(f"the weakened grader cannot be contained here: {reason}")
    canaries = Canaries.fresh()
    after = weak_outcomes(attacks, canaries, to)
    return {attack.name: achieved(attack, after[attack.name], after["clean"], canaries) for attack in attacks}

"""The hostile and broken part of a class: the attacks of the red-team suite, again and again under other names."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from unicodedata import normalize

from autograder.course.records import Lesson
from tests.hostile.range.attacks import Attack, find_attacks

from .scores import Scores


@dataclass(frozen=True)
class Attacker:
    """One hostile student."""

    name: str
    attack: Attack

    def hand_in(self, submitted: Path, lesson: Lesson) -> None:
        """Writes what the attack hands in."""
        self.attack.hand_in(submitted / self.name / lesson.id)


def attackers(n: int, *, seed: int = 0, kinds: Sequence[str] = ()) -> list[Attacker]:
    """`n` attackers: every attack once under its own student's name, then again under others."""
    attacks = [attack for attack in find_attacks() if not kinds or attack.kind in kinds]
    random.Random(seed).shuffle(attacks)
    found = []
    for k in range(n):
        again, place = divmod(k, len(attacks))
        attack = attacks[place]
        found.append(Attacker(f"{attack.folder.name}-{again}" if again else attack.student, attack))
    return found


def undeserved(found: Sequence[Attacker], scores: Scores, lesson: Lesson) -> list[str]:
    """A sentence for every point that an attacker got and did not earn, and for honest ones that were lost.

    An attack that is known and accepted may keep the points of promises, as docs/grading.md says.
    """
    full = {item.id: item.points for item in lesson.items}
    promised = {item.id: getattr(item, "promise_points", 0) for item in lesson.items}
    told = []
    for attacker in found:
        attack, got = attacker.attack, scores.get(normalize("NFC", attacker.name), {})
        most = full if attack.deserved_all_of else {}
        kept = promised if attack.accepted else {}
        honest = {**attack.deserved, **{item: full[item] for item in attack.innocent}}
        for item in full:
            limits = honest.get(item, 0), attack.deserved.get(item, most.get(item, 0))
            highest = max(limits) + kept.get(item, 0)
            if item not in got or not limits[0] <= got[item] <= highest:
                told.append(f"{attack.name}, {item}: {got.get(item)} points, deserved {limits[0]} to {highest}")
    return told


def points_of(scores: Mapping[str, Mapping[str, float]]) -> float:
    """All points of a class."""
    return sum(sum(items.values()) for items in scores.values())

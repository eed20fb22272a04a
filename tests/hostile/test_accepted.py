"""Attacks that are known and accepted: each stands in the docs, gets what is said there, and nothing more."""

from __future__ import annotations

from pathlib import Path

from autograder.course.registry import lesson
from tests.hostile.range.grade import Grade
from tests.hostile.shooting import ATTACKS

ACCEPTED = [attack for attack in ATTACKS if attack.accepted]
DOCS = (Path(__file__).parents[2] / "docs" / "grading.md").read_text(encoding="utf-8")


def test_the_docs_name_each_accepted_attack_and_how_many_there_are():
    (told,) = [line for line in DOCS.split("\n- ") if "known and accepted" in line]
    assert [attack.name for attack in ACCEPTED if f"`{attack.folder.name}`" not in told] == []
    assert told.split(" attacks that do so")[0].endswith("Three")
    assert len(ACCEPTED) == 3


def test_an_accepted_attack_counts_as_held_on_no_rung():
    assert not any(attack.promised_on("bubblewrap") for attack in ACCEPTED)


def test_an_accepted_attack_keeps_promise_points_and_gains_no_others():
    after = Grade("rlimits", seconds=10.0).fire(ACCEPTED)
    promised = {item.id: getattr(item, "promise_points", 0) for item in lesson("11_grad_cam").items}
    for attack in ACCEPTED:
        points = after.students[attack.graded_as].points
        gained = {item: points.get(item, 0) - attack.deserved.get(item, 0) for item in promised}
        assert any(gained.values()), f"{attack.name} got nothing: take `accepted` out of its attack.toml"
        assert all(0 <= more <= promised[item] for item, more in gained.items()), (attack.name, gained)

"""The attacks on what reads and shows, at nbgrader's own commands, in one batch on the best rung."""

from __future__ import annotations

import sys

import pytest

from autograder.isolated.rungs import best
from tests.hostile.range.nbgrader import Nbgrader
from tests.hostile.shooting import DESERVED, UNDESERVED, attacks_on, name_of, salvo_at

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the watch over processes reads /proc"),
]
ATTACKS = attacks_on(best().name, "nbgrader")


@pytest.fixture(scope="module")
def shots(request):
    return salvo_at(request, Nbgrader)


def test_the_front_sees_points_that_nobody_deserves_and_points_that_are_lost(shots):
    assert "points" in shots.each[UNDESERVED.name]
    assert shots.each[DESERVED.name]["innocent"] == "honest grad_cam.capture: 0 of 7"


def test_the_batch_comes_to_its_end_and_leaves_nothing_and_nobody_else_is_touched(shots):
    assert shots.whole == {}


@pytest.mark.parametrize("attack", ATTACKS, ids=name_of)
def test_an_attack_gets_nothing(attack, shots):
    assert shots.each[attack.name] == {}

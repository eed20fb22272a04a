"""Every attack that the rung landlock promises to stop, in one batch of the real command."""

from __future__ import annotations

import pytest

from tests.hostile.shooting import attacks_on, name_of, salvo

RUNG = "landlock"


@pytest.fixture(scope="module")
def shots(request):
    return salvo(request, RUNG)


def test_the_batch_comes_to_its_end_and_leaves_nothing_and_nobody_else_is_touched(shots):
    assert shots.whole == {}


@pytest.mark.parametrize("attack", attacks_on(RUNG), ids=name_of)
def test_an_attack_gets_nothing(attack, shots):
    assert shots.each[attack.name] == {}

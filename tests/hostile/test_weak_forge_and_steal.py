"""The suite can fail: forge and steal beat the weakened grader, as they claim."""

from __future__ import annotations

import pytest

from tests.hostile.shooting import beats_the_weak, name_of, weak_salvo

ATTACKS = beats_the_weak("forge", "steal")


@pytest.fixture(scope="module")
def achieved(request, tmp_path_factory):
    return weak_salvo(request, tmp_path_factory.mktemp("weak"))


@pytest.mark.parametrize("attack", ATTACKS, ids=name_of)
def test_an_attack_beats_a_grader_that_trusts(attack, achieved):
    assert attack.success in achieved[attack.name]

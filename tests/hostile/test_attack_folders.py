"""The folders of attacks: enough of them, well formed, and a sentence where one is not."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.hostile.range.attacks import CLASSES, LADDER, find_attacks, read_attack
from tests.hostile.range.judges import full_points

ATTACKS = find_attacks()

GOOD = """
title = "does nothing"
promise = "points"
success = "points"
stopped_by = "rlimits"
weak = true
"""


def attack_in(folder, text=GOOD):
    """A folder of the class forge with this attack.toml."""
    made = folder / "forge" / "idle"
    made.mkdir(parents=True)
    (made / "attack.toml").write_text(text, encoding="utf-8")
    return made


@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_has_at_least_five_attacks(kind):
    assert sum(attack.kind == kind for attack in ATTACKS) >= 5


def test_no_two_attackers_share_a_name_so_that_all_fit_into_one_batch():
    assert [name for name, count in Counter(attack.graded_as for attack in ATTACKS).items() if count > 1] == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_names_real_items_and_hands_something_in(attack, tmp_path):
    full = full_points()
    assert {*attack.deserved, *attack.innocent} <= {*full}
    assert all(0 <= points <= full[item] for item, points in attack.deserved.items())
    assert (attack.folder / "submission").is_dir() or (attack.folder / "make.py").is_file()


def test_an_attack_is_read_with_its_class_and_the_folders_name_as_its_student(tmp_path):
    attack = read_attack(attack_in(tmp_path))
    assert (attack.kind, attack.name, attack.student) == ("forge", "forge/idle", "idle")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('title = "does nothing"', "", "title is missing; every attack has title, promise, success, stopped_by, weak."),
        ('promise = "points"', 'promise = "fame"', 'promise is "fame", allowed are points, innocent, lost, leak'),
        ('stopped_by = "rlimits"', 'stopped_by = "hope"', f'stopped_by is "hope", allowed are {", ".join(LADDER)}.'),
        ("weak = true", "weak = 1", "weak is 1, allowed are true and false."),
        ("weak = true", "weak = false", "weak is false and there is no why; say why a naive grader withstands it."),
        ("weak = true", "weak = true\nrung = 1", 'got the key "rung", allowed are title, promise, success'),
        ("weak = true", "weak = tru", "cannot be read as TOML"),
    ],
)
def test_a_malformed_attack_is_one_sentence(old, new, told, tmp_path):
    folder = attack_in(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ValueError, match="attack: ") as caught:
        read_attack(folder)
    assert told in str(caught.value)


def test_a_rung_promises_what_the_rungs_below_it_do(tmp_path):
    attack = read_attack(attack_in(tmp_path, GOOD.replace('stopped_by = "rlimits"', 'stopped_by = "landlock"')))
    assert [attack.promised_on(rung) for rung in LADDER] == [False, True, True]


def test_a_make_py_that_fails_is_one_sentence(tmp_path):
    folder = attack_in(tmp_path)
    (folder / "make.py").write_text("def make(folder):\n    1 / 0\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"make.py failed \(ZeroDivisionError: division by zero\); correct it."):
        read_attack(folder).hand_in(tmp_path / "there")


def test_items_may_be_named_without_their_module(tmp_path):
    attack = read_attack(attack_in(tmp_path, GOOD + "[deserved]\ncapture = 7\n"))
    assert attack.deserved == {"grad_cam.capture": 7}

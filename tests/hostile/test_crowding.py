"""Who keeps all processors busy on purpose takes its own time and nobody's points: real processes, side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.core.oracle import Setting
from autograder.course import registry
from autograder.isolated.rungs import best
from tests.hostile.range.attacks import LESSON
from tests.hostile.range.course import INNOCENT, LOST
from tests.hostile.range.front import points_alone
from tests.hostile.range.grade import Grade
from tests.hostile.range.judges import full_points
from tests.hostile.shooting import ATTACKS

(CROWD,) = [attack for attack in ATTACKS if attack.name == "exhaust/crowded_machine"]
QUEUE = 3
"""What waiting for a processor may add to a limit, at most."""


@pytest.mark.slow
def test_who_crowds_the_machine_costs_a_bounded_time_and_no_innocent_a_point():
    front = Grade(best().name)
    lesson, setting = registry.lesson(LESSON), Setting(seconds=front.seconds)
    crowd = [CROWD, replace(CROWD, student="!crowd"), replace(CROWD, student="crowd 3")]
    after = front.fire(crowd)
    for student, one in points_alone(dict(after.students)).items():
        lost = LOST.get(student, full_points())
        assert one.points == {item: 0 if item in lost else n for item, n in full_points().items()}, student
    assert set(INNOCENT) < set(after.students)
    promised = QUEUE * 1.5 * sum(setting.seconds_for(exercise) for exercise in lesson.exercises)
    start = 90  # the libraries, for each of two workers and their warm processes, on a crowded machine
    assert after.ending.seconds < start + promised * (len(crowd) + len(INNOCENT)) / front.jobs
    assert after.ending.left == ()

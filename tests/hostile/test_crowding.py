"""Who keeps all processors busy on purpose takes its own time and nobody's points: real processes, side by side."""

from __future__ import annotations

import threading
from dataclasses import replace

from autograder.core.oracle import Setting, parts_of
from autograder.course import registry
from autograder.isolated import Cell, Request, Runner
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


def promised(setting: Setting) -> float:
    """Seconds for all runs of one submission, at most."""
    return QUEUE * 1.5 * sum(setting.seconds_for(exercise) for exercise in registry.lesson(LESSON).exercises)


def test_who_crowds_the_machine_costs_a_bounded_time_and_no_innocent_a_point():
    front = Grade(best().name)
    crowd = [CROWD, replace(CROWD, student="!crowd"), replace(CROWD, student="crowd 3")]
    after = front.fire(crowd)
    for student, one in points_alone(dict(after.students)).items():
        lost = LOST.get(student, full_points())
        assert one.points == {item: 0 if item in lost else n for item, n in full_points().items()}, student
    assert set(INNOCENT) < set(after.students)
    start = 90  # the libraries, for each of two workers and their warm processes, on a crowded machine
    most = promised(Setting(seconds=front.seconds))
    assert after.ending.seconds < start + most * (len(crowd) + len(INNOCENT)) / front.jobs
    assert after.ending.left == ()


def test_without_a_limit_one_call_of_the_same_crowd_costs_more_than_was_promised_of_a_whole_submission():
    code = (CROWD.folder / "submission" / "grad_cam.py").read_text("utf-8")
    exercise = registry.lesson(LESSON).exercises[0]
    calls = parts_of(exercise, Setting())[0].planned[:1]
    setting = Setting(seconds=0.5)
    limited = Request((Cell("grad_cam.py", code),), exercise.function, calls=calls, seconds=0.5)
    with Runner() as runner:
        assert runner.run(limited).status == "time"
        patience = threading.Timer(promised(setting), runner.cancel)
        patience.start()
        unlimited = runner.run(replace(limited, seconds=600.0))
    assert unlimited.seconds >= promised(setting)
    assert not patience.is_alive()

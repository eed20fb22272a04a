"""Who takes all the time there is takes its own and nobody's points: real processes, side by side."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

from autograder.batch.collect import collect
from autograder.batch.grade_class import grade_all
from autograder.batch.results import Store
from autograder.core.oracle import Setting, parts_of
from autograder.course import registry
from autograder.isolated import Cell, Request, Runner
from autograder.isolated.rungs import best
from tests.hostile.range.attacks import LESSON
from tests.hostile.range.course import DEMO, INNOCENT, LOST
from tests.hostile.range.front import points_alone
from tests.hostile.range.grade import Grade, read_students
from tests.hostile.range.judges import full_points
from tests.hostile.shooting import ATTACKS

(CROWD,) = [attack for attack in ATTACKS if attack.name == "exhaust/crowded_machine"]
QUEUE = 3
"""What waiting for a processor may add to a limit, at most."""
RIGHT = (DEMO / "right" / LESSON / "grad_cam.py").read_text("utf-8")
SLOW = {
    "in every call": "time.sleep(600)",
    "until it is nearly too late": "time.sleep({most}) if not CALLED else None",
    "when it is called again": "time.sleep(600) if CALLED else None",
    "by computing": "while True: pass",
}
"""How a right module takes time -> what it does in each call."""
WRAPPED = """

import functools
import time

CALLED = []


def slow(right):
    @functools.wraps(right)
    def called(*args):
        {way}
        CALLED.append(1)
        return right(*args)

    return called


capture, neuron_importance, grad_cam_map, grad_cam, quadrant_shares = map(
    slow, (capture, neuron_importance, grad_cam_map, grad_cam, quadrant_shares)
)
"""


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


def hand_in(folder: Path, student: str, text: str) -> None:
    """A module, which is no other student's."""
    place = folder / student / LESSON
    place.mkdir(parents=True)
    (place / "grad_cam.py").write_text(f"{text}\n# {student}\n", encoding="utf-8")


def graded(folder: Path, seconds: float) -> tuple[float, dict[str, float]]:
    """How long two workers took, and each student's points."""
    began = time.monotonic()
    store = Store(folder / "results", "the secret")
    grade_all(collect(folder / "submitted", [LESSON]), store, secret="the secret", jobs=2, seconds=seconds)
    took = time.monotonic() - began
    return took, {name: sum(one.points.values()) for name, one in read_students(store).items()}


def test_a_class_of_100_of_which_20_use_every_second_there_is_ends_in_time_with_all_points_of_the_others(tmp_path):
    seconds, ways, of_all = 1.0, list(SLOW.values()), sum(full_points().values())
    for n in range(80):
        for folder in ("all", "some") if n < 16 else ("all",):
            hand_in(tmp_path / folder / "submitted", f"innocent {n}", RIGHT)
    for n in range(20):
        way = ways[n % len(ways)].format(most=0.8 * seconds)
        hand_in(tmp_path / "all" / "submitted", f"slow {n}", RIGHT + WRAPPED.format(way=way))
    some, _ = graded(tmp_path / "some", seconds)
    took, points = graded(tmp_path / "all", seconds)
    assert len(points) == 100
    assert [n for name, n in points.items() if name.startswith("innocent")] == [of_all] * 80
    assert took < 80 / 16 * some + 20 * promised(Setting(seconds=seconds)) / 2

"""Whatever a submission does with its time, its runs get at most one and a half times the sum of the limits."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from autograder.core import grade
from autograder.core.allowance import Allowance
from autograder.core.grade import grade_item, grade_lesson
from autograder.core.oracle import Setting
from autograder.core.verdict import PASSED
from autograder.course import registry
from autograder.isolated import Cell, Outcome, Request, Runner
from autograder.reading.submission import load_submission

LESSON = registry.lesson("11_grad_cam")
SETTING = Setting(seconds=1.0)
LIMITS = sum(SETTING.seconds_for(exercise) for exercise in LESSON.exercises)
RIGHT = Path(__file__).parents[2] / "solutions" / LESSON.id / "grad_cam.py"


@dataclass
class Slow:
    """In place of a runner: every run takes what `seconds` says of its number, its limit and its request."""

    seconds: object
    spent: list[float] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)

    def run(self, request):
        wanted = self.seconds(request, len([each for each in self.asked if each.function == request.function]))
        self.asked.append(request)
        self.spent.append(min(wanted, request.seconds))
        return Outcome("time" if wanted >= request.seconds else "ran", seconds=self.spent[-1])


def lent(request):
    return "parts" in request.cells[-1].label


WAYS = {
    "sleeps in every call": lambda request, number: 1e9,
    "sleeps in hidden calls": lambda request, number: 1e9 if number else 0.0,
    "sleeps beside lent parts": lambda request, number: 1e9 if lent(request) else 0.0,
    "sleeps in every second run": lambda request, number: 1e9 if number % 2 else 0.9,
    "is just in time": lambda request, number: 0.99 * request.seconds,
    "is just in time first": lambda request, number: 0.99 if not number else 1e9,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("notebook", [False, True])
def test_no_way_to_be_slow_costs_more_than_one_and_a_half_times_the_limits(tmp_path, way, notebook):
    (tmp_path / "grad_cam.py").write_text(RIGHT.read_text(encoding="utf-8"), encoding="utf-8")
    if notebook:
        source = RIGHT.with_suffix(".ipynb")
        (tmp_path / "grad_cam.ipynb").write_bytes(source.read_bytes())
    slow = Slow(WAYS[way])
    grade_lesson(load_submission(tmp_path, LESSON), LESSON, SETTING, slow)
    assert sum(slow.spent) <= 1.5 * LIMITS + 1e-6, [each.function for each in slow.asked]
    assert {each.function for each in slow.asked} == {each.function for each in LESSON.exercises}


def test_where_each_run_has_the_whole_limit_some_way_to_be_slow_costs_more(monkeypatch):
    monkeypatch.setattr(grade, "Allowance", lambda runner, lesson, setting: runner)
    slow = Slow(WAYS["is just in time first"])
    grade_lesson(load_submission(RIGHT.parent, LESSON), LESSON, SETTING, slow)
    assert sum(slow.spent) > 1.5 * LIMITS


def request(function, seconds=1.0, file="grad_cam.py"):
    return Request((Cell(file, ""),), function, seconds=seconds)


def test_every_exercise_keeps_its_own_limit_however_slow_the_others_are():
    slow = Slow(lambda request, number: 1e9)
    runs = Allowance(slow, LESSON, SETTING)
    first, *others = LESSON.exercises
    for _ in range(20):
        runs.run(request(first.function))
    for each in others:
        runs.run(request(each.function))
    assert [each.seconds for each in slow.asked[-len(others) :]] == [1.0] * len(others)


def test_after_two_runs_that_are_late_none_is_made_beyond_the_limit():
    slow = Slow(lambda request, number: 1e9)
    runs = Allowance(slow, LESSON, SETTING)
    outcomes = [runs.run(request(LESSON.exercises[0].function)) for _ in range(4)]
    assert [outcome.status for outcome in outcomes] == ["time"] * 4
    assert len(slow.asked) == 2


def test_a_file_that_is_late_does_not_stop_the_other_one():
    slow = Slow(lambda request, number: 1e9 if request.cells[0].label.endswith(".py") else 0.1)
    runs = Allowance(slow, LESSON, SETTING)
    for each in LESSON.exercises:
        runs.run(request(each.function))
        assert runs.run(request(each.function, file="grad_cam.ipynb cell 3")).status == "ran"


def test_who_sleeps_in_one_exercise_keeps_the_points_of_the_others(tmp_path):
    sleeps = "\n\nimport time\n\n\ndef neuron_importance(gradients):\n    time.sleep(60)\n"
    (tmp_path / "grad_cam.py").write_text(RIGHT.read_text(encoding="utf-8") + sleeps, encoding="utf-8")
    with Runner() as runner:
        graded = grade_lesson(load_submission(tmp_path, LESSON), LESSON, Setting(seconds=5.0), runner)
    passed = [g.item.id for g in graded if {row.verdict for row in g.rows} == {PASSED}]
    assert {"grad_cam.capture", "grad_cam.grad_cam_map", "grad_cam.quadrant_shares"} <= {*passed}


@pytest.mark.parametrize(("took", "rest"), [(0.25, 0.75), (0.9, 0.5)])
def test_the_second_run_gets_what_is_left_of_the_limit_and_at_least_half_of_it(took, rest):
    runner = Slow(lambda request, n: took)
    grade_item(load_submission(RIGHT.parent, LESSON), LESSON.exercises[0], SETTING, runner)
    assert [request.seconds for request in runner.asked[:2]] == [1.0, rest]

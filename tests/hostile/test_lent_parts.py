"""What is lent to an exercise that puts others together holds no answer, and a run with it tells one bit."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path

import pytest

import autograder
from autograder.core import grade
from autograder.core.grade import grade_item, grade_lesson, lent
from autograder.core.oracle import Setting
from autograder.core.verdict import PASSED, summary
from autograder.course import registry
from autograder.course.locations import OURS
from autograder.course.records import foundations
from autograder.isolated import Cell, Request, Runner
from autograder.isolated.rungs import best
from autograder.reading.submission import Source, Submission

LESSON = registry.lesson("11_grad_cam")
WHOLE = registry.exercise("grad_cam.grad_cam")
RIGHT = (Path(autograder.__file__).parent / "demo" / "right" / LESSON.id / "grad_cam.py").read_text("utf-8")
THIEF = (Path(__file__).parent / "attacks/steal/lent_rows/submission/grad_cam.py").read_text("utf-8")
COMPOSITES = [(x, foundations(x, each.exercises)) for each in registry.lessons() for x in each.exercises if x.builds_on]
ALL_ROWS = list(itertools.product((0, 1), repeat=3))
"""Which of the last three rows that can be told apart are right: three bits of whatever the code read."""

LOOKS = """
import gc, inspect, linecache, sys
import torch

def told(*anything):
    for held in gc.get_objects():
        if type(held).__name__ in ("function", "code"):
            code = getattr(held, "__code__", held)
            print(code.co_filename, code.co_name, code.co_consts, code.co_names, getattr(held, "__doc__", ""))
    for name, value in vars(sys.modules["student"]).items():
        print("GLOBAL", name, repr(value)[:200])
    for label in list(linecache.cache):
        if "course" in label:
            print("LINES", *linecache.getlines(label))
"""


@pytest.fixture(params=["rlimits", "landlock", "bubblewrap"])
def runner(request, on_rung):
    return on_rung(request.param)


def submission(text: str) -> Submission:
    return Submission((Source("grad_cam.py", text),))


def outcomes(runner, some=ALL_ROWS) -> set[tuple[str, ...]]:
    """The verdicts on the whole method, for each thing that there may be to tell."""
    text = THIEF.replace("here in (0, 1) or bits()[here]", "bits()[here]")
    earlier = [g for g in grade_lesson(submission(text), LESSON, Setting("s", "eve"), runner) if g.item is not WHOLE]
    found = set()
    for bits in some:
        said = f"return {[bits[0], 1, 1, *bits[1:]]} if said else [sum(said)"
        code = text.replace("return [sum(said)", said, 1)
        judged = grade_item(submission(code), WHOLE, Setting("s", "eve"), runner, earlier=earlier)
        found.add(tuple(row.verdict for row in judged.rows))
    return found


@pytest.fixture
def best_runner(on_rung):
    """What a run tells is decided by the grader, on whatever rung it was made."""
    return on_rung(best().name)


def test_rows_of_a_run_with_lent_parts_are_one_bit(best_runner):
    assert len(outcomes(best_runner)) == 2


def test_row_by_row_it_would_be_as_many_bits_as_there_are_rows(best_runner, monkeypatch):
    """The same attack, where each row of the lent run counted by itself."""
    kept = {}

    def helps(again, judged):
        kept["rows"] = again.rows
        return True

    def row_by_row(judged, note):
        pairs = zip(judged.rows, kept["rows"], strict=True)
        return replace(judged, rows=tuple(n if n.verdict == PASSED else o for o, n in pairs))

    monkeypatch.setattr(grade, "_helps", helps)
    monkeypatch.setattr(grade, "_with_lent", row_by_row)
    assert len(outcomes(best_runner, ALL_ROWS[4:])) == 4


def test_who_is_right_but_for_a_part_is_helped_on_every_rung(runner):
    stub = re.sub(
        r"(?s)(def neuron_importance.*?\n).*?(?=def grad_cam_map)",
        r'\1    raise NotImplementedError("later")\n\n\n',
        RIGHT,
    )
    graded = {g.item.id: g for g in grade_lesson(submission(stub), LESSON, Setting("s", "ann"), runner)}
    assert [i for i, g in graded.items() if summary(g.rows) != PASSED] == ["grad_cam.neuron_importance"]


def seen_beside(borrowed: Cell, runner: Runner) -> str:
    """All that code can print of what is loaded beside it."""
    cells = (Cell("grad_cam.py", LOOKS + "\ntold()\n"), borrowed, Cell("later.py", "told()\n"))
    return runner.run(Request(cells, variable="nothing", output_bytes=2**26)).output


def test_answers_are_read_where_a_whole_solution_is_lent(runner):
    seen = seen_beside(replace(lent(WHOLE, foundations(WHOLE, LESSON.exercises)), source=RIGHT), runner)
    assert all(question.variable in seen for question in LESSON.questions)


def test_what_can_be_read_beside_lent_parts_is_these_parts_alone(runner):
    seen = seen_beside(lent(WHOLE, foundations(WHOLE, LESSON.exercises)), runner)
    assert "def capture" in seen, "what is lent was not seen at all"
    solved = next(OURS.solutions.glob("*_grad_cam/grad_cam.py")).read_text("utf-8")
    for question in LESSON.questions:
        assert question.variable in solved
        assert question.variable not in seen
    assert "quadrant_shares" not in seen
    docs = re.findall(r'(?s)"""(.*?)"""', solved)
    assert docs
    assert not [doc for doc in docs if doc.strip().splitlines()[0] in seen]


@pytest.mark.parametrize(("exercise", "parts"), COMPOSITES, ids=[x.id for x, _ in COMPOSITES])
def test_nothing_is_lent_but_what_is_asked_for(exercise, parts):
    """No answer to a question, no other exercise, no comment and no docstring, whichever parts are lent."""
    lesson = registry.lesson_of(exercise.id)
    for names in (parts[:1], parts):
        text = lent(exercise, names).source
        wanted = {name.split(".")[1] for name in names}
        assert all(f"def {name}(" in text for name in wanted)
        assert not [e.function for e in lesson.exercises if e.function not in wanted and f"def {e.function}(" in text]
        assert not [q.variable for q in lesson.questions if q.variable in text]
        assert "#" not in text
        assert '"""' not in text

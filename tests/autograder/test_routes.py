"""A lesson handed in as module, as notebook or as both has the same rows by every route."""

import ast
import json
import os
from functools import cache
from itertools import cycle, islice
from pathlib import Path

import nbformat
import pytest

from autograder.batch.collect import collect
from autograder.batch.work import Task, perform
from autograder.core.grade import grade_lesson
from autograder.core.oracle import Setting
from autograder.core.verdict import Row, summary, total
from autograder.course import registry
from autograder.isolated import Runner
from autograder.nbgrader.checks import IsolatedChecks
from autograder.nbgrader.submitted import SubmissionExporter, read_release
from autograder.pytest_plugin import Course
from autograder.reading.submission import load_submission
from autograder.report.sentences import sentence
from autograder.study.cache import Cache
from autograder.study.folder import work
from autograder.study.judging import Judging

ROOT = Path(__file__).parents[2]
LESSON = registry.lesson("11_grad_cam")
PARTS = ("capture", "neuron_importance", "grad_cam_map", "grad_cam", "quadrant_shares")
ALL = (*PARTS, "whose_alpha", "whose_map", "sum_or_mean", "bias_raised", "absent_class")
WRONG = {
    "neuron_importance": "def neuron_importance(gradients):\n    return gradients.sum(dim=(2, 3))\n",
    "capture": "def capture(model, images, targets, layer):\n    return images, images\n",
    "sum_or_mean": 'sum_or_mean = "smaller"',
}
HELPED = "from mine import mean\n\n\ndef neuron_importance(gradients):\n    return mean(gradients)\n"
CLASS = {
    "nothing": ({}, {}),
    "module": (ALL, None),
    "notebook": (None, ALL),
    "both": (ALL, ALL),
    "seven in the notebook, one line in the module": (["-capture"], ALL[:7]),
    "seven in the module, one line in the notebook": (ALL[1:], ["-capture"]),
    "a half each": (PARTS[:2], PARTS[2:]),
    "a part wrong in the module": (["capture", "-neuron_importance", *PARTS[2:]], ["neuron_importance", *PARTS[3:]]),
    "a part wrong in the notebook": (["capture", *PARTS[2:4]], ["-neuron_importance", *PARTS[3:]]),
    "both wrong": (["-neuron_importance"], ["-neuron_importance", "-capture"]),
    "two answers": ([*PARTS, "sum_or_mean"], [*PARTS, "-sum_or_mean"]),
    "a helper": (["+neuron_importance"], PARTS[:1]),
    "a helper of the notebook": (PARTS[:1], ["+neuron_importance"]),
}
"""Student -> names in module and notebook that are solved, "-" wrong, "+" with a module beside; None: no such file."""


@cache
def solved() -> dict[str, str]:
    """Function or variable -> its right text."""
    text = (ROOT / "solutions/11_grad_cam/grad_cam.py").read_text(encoding="utf-8")
    found = {}
    for node in ast.parse(text).body:
        name = getattr(node, "name", "") or getattr(getattr(node, "targets", [None])[0], "id", "")
        found[name] = ast.get_source_segment(text, node) or ""
    return found


def written(name: str) -> tuple[str, str]:
    plain = name.lstrip("-+")
    return plain, WRONG[plain] if name[0] == "-" else HELPED if name[0] == "+" else solved()[plain]


def hand_in(folder: Path, module, notebook) -> None:
    """Writes a student's files, as the course hands them out but for what the student wrote."""
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text("def mean(x):\n    return x.mean(dim=(2, 3))\n", encoding="utf-8")
    given = ROOT / "lessons" / LESSON.id
    if module is not None:
        text = (given / "grad_cam.py").read_text(encoding="utf-8")
        new = dict(map(written, module))
        for node in reversed(ast.parse(text).body):
            name = getattr(node, "name", "") or getattr(getattr(node, "targets", [None])[0], "id", "")
            if name in new:
                lines = text.split("\n")
                lines[node.lineno - 1 : node.end_lineno] = new[name].split("\n")
                text = "\n".join(lines)
        (folder / "grad_cam.py").write_text(text, encoding="utf-8")
    if notebook is not None:
        cells = json.loads((given / "grad_cam.ipynb").read_text(encoding="utf-8"))
        new = dict(map(written, notebook))
        for cell in cells["cells"]:
            if (name := cell["metadata"].get("nbgrader", {}).get("grade_id")) in new:
                cell["source"] = new[name]
        (folder / "grad_cam.ipynb").write_text(json.dumps(cells), encoding="utf-8")


def seen(rows: list[Row]) -> list[tuple]:
    return [(row.exercise, row.check, row.verdict, row.points, row.note) for row in rows]


class Routes:
    """Every way to rows."""

    def __init__(self, submitted: Path, cache_folder: Path) -> None:
        self.submitted, self.runner = submitted, Runner().__enter__()
        self.course, self.judging = Course(None, "cpu"), Judging(Cache(cache_folder))
        self.course._runner = self.judging._runner = self.runner
        self.release = read_release(ROOT / "lessons" / LESSON.id / "grad_cam.ipynb")
        self.handed = {each.student: each for each in collect(submitted, [LESSON.id])}

    @cache  # noqa: B019
    def check(self, student: str) -> list[tuple]:
        graded = grade_lesson(load_submission(self._folder(student), LESSON), LESSON, Setting(), self.runner)
        return seen([row for each in graded for row in each.rows])

    def grade(self, student: str) -> list[tuple]:
        return seen([row for result in perform(Task(self.handed[student], "s", "")) for row in result.rows])

    def pytest(self, student: str) -> list[tuple]:
        folder = self._folder(student) / LESSON.id
        return seen([row for item in LESSON.items for row in self.course._of(item.id, folder).rows])

    def nbgrader(self, student: str) -> list[tuple]:
        path = self._folder(student) / LESSON.id / "grad_cam.ipynb"
        notebook = SubmissionExporter()._handed_in(path, self.release)
        nbformat.validate(notebook)
        about = {"nbgrader": {"student": student, "assignment": LESSON.id, "notebook": "grad_cam"}}
        graded, _ = IsolatedChecks(secret="s").preprocess(notebook, about)
        return seen([Row.from_json(check) for check in graded.metadata["cnnviz"]["checks"]])

    def watch(self, student: str) -> list[tuple]:
        standing = self.judging.standing(work(self._folder(student), LESSON.id))
        told = [[s for s, _ in state.told if " both have " in s or " answer diff" in s] for state in standing.states]
        return [(s.item.id, s.verdict, s.points, *notes) for s, notes in zip(standing.states, told, strict=True)]

    def _folder(self, student: str) -> Path:
        return self.submitted / student


def by_item(rows: list[tuple]) -> list[tuple]:
    """What `watch` shows of rows."""
    found = []
    for item in LESSON.items:
        own = [Row(e, c, v, p, note=n) for e, c, v, p, n in rows if e == item.id]
        found.append((item.id, summary(own), total(own)[0], *dict.fromkeys(sentence(r.note) for r in own if r.note)))
    return found


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    submitted = tmp_path_factory.mktemp("class") / "submitted"
    for student, files in CLASS.items():
        hand_in(submitted / student / LESSON.id, *files)
    made = Routes(submitted, tmp_path_factory.mktemp("cache"))
    yield made
    made.judging.close()


@pytest.mark.parametrize("student", CLASS)
def test_every_route_gives_the_same_rows(routes, student):
    rows = routes.check(student)
    assert routes.grade(student) == rows
    assert routes.nbgrader(student) == rows
    assert routes.pytest(student) == rows
    assert routes.watch(student) == by_item(rows)


POINTS = {
    "nothing": 0,
    "both": 33,
    "seven in the notebook, one line in the module": 30,
    "seven in the module, one line in the notebook": 26,  # grad_cam with our capture
    "a half each": 28,  # grad_cam with our capture and neuron_importance, for the notebook has none
    "a part wrong in the notebook": 23,
    "a helper": 12,
    "a helper of the notebook": 12,
}


@pytest.mark.parametrize("student", POINTS)
def test_of_two_files_the_better_counts_for_each_exercise(routes, student):
    assert sum(points for _, _, _, points, _ in routes.check(student)) == POINTS[student]


def test_which_file_counts_is_said(routes):
    notes = {item: note for item, *_, note in routes.check("seven in the notebook, one line in the module")}
    told = "grad_cam.py and grad_cam.ipynb both have this function; grad_cam.ipynb counts: it earned 7 points, "
    assert sentence(notes["grad_cam.capture"]).startswith(told)
    assert notes["grad_cam.grad_cam"] is None


def test_two_answers_are_no_two_tries(routes):
    rows = [row for row in routes.check("two answers") if row[0] == "grad_cam.sum_or_mean"]
    assert [row[:4] for row in rows] == [("grad_cam.sum_or_mean", "answer", "failed", 0)]
    note = "grad_cam.py and grad_cam.ipynb answer differently; grad_cam.ipynb counts."
    assert [sentence(row[4]) for row in rows] == [note]


@pytest.mark.skipif("CNNVIZ_CLASS" not in os.environ, reason="CNNVIZ_CLASS=200 grades so many: some minutes")
def test_a_class_has_the_same_rows_by_every_route(routes, tmp_path):
    """`check`, `pytest` and `watch` know no student's name: once for each kind; `grade` and nbgrader for everybody."""
    size = int(os.environ["CNNVIZ_CLASS"])
    kinds = list(islice(cycle(list(CLASS)[1:]), size))
    for number, kind in enumerate(kinds):
        hand_in(tmp_path / "submitted" / f"student {number:03}" / LESSON.id, *CLASS[kind])
    everybody = Routes(tmp_path / "submitted", tmp_path / "cache")
    assert len(everybody.handed) == size
    expected = {kind: routes.check(kind) for kind in CLASS}
    for kind, rows in expected.items():
        assert routes.pytest(kind) == rows, kind
        assert routes.watch(kind) == by_item(rows), kind
    for student, kind in zip(everybody.handed, kinds, strict=True):
        assert everybody.grade(student) == expected[kind], student
        assert everybody.nbgrader(student) == expected[kind], student
    everybody.judging.close()

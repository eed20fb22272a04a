"""The course as it stands in the repository."""

import json
import re
from pathlib import Path

import pytest

from autograder.authoring import build, lint
from autograder.course import registry

ROOT = Path(__file__).resolve().parents[2]
LESSONS = registry.lessons()

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)


def table(text, title):
    """Rows of the README's table under a heading, as tuples of cells."""
    part = text.split(f"\n## {title}\n")[1].split("\n## ")[0]
    rows = [line for line in part.split("\n") if re.match(r"\| \d+ \|", line)]
    return [tuple(cell.strip().strip("`") for cell in re.split(r"(?<!\\)\|", row)[1:-1]) for row in rows]


def readme(lesson):
    return (ROOT / "lessons" / lesson.id / "README.md").read_text(encoding="utf-8")


def notebook_cells(folder, lesson):
    cells = json.loads((ROOT / folder / lesson.id / f"{lesson.name}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [(cell, "".join(cell["source"])) for cell in cells]


STATED = {
    "tsne.kl_and_gradient": "C, one number: a tensor without axes, of shape [], or a float",
    "which_map.pointing_game": "straight distance √(rows² + columns²) from p to the nearest pixel of the box, 0 inside",
    "cam.box_from_map": "connected by their sides (corners may count, too)",
    "layer_activation.capture": "F.relu(x, inplace=True) in a forward method",
}
"""Exercise -> what its stub says because reasonable readers had read it otherwise."""


@pytest.mark.parametrize("name", STATED)
@pytest.mark.parametrize("folder", ["lessons", "solutions"])
def test_a_stub_defines_what_could_be_read_otherwise(folder, name):
    exercise = registry.exercise(name)
    (path,) = (ROOT / folder).glob(f"[0-9]*_{exercise.module}/{exercise.module}.py")
    text = path.read_text(encoding="utf-8").split(f"def {exercise.function}(")[1].split('"""')[1]
    assert STATED[name] in " ".join(text.split())


def test_the_lessons_are_those_of_the_folders_numbered_from_1_without_a_gap():
    ids = [lesson.id for lesson in LESSONS]
    assert ids == sorted(path.parent.name for path in (ROOT / "lessons").glob("*/README.md"))
    assert [int(name[:2]) for name in ids] == [*range(1, len(ids) + 1)]


def test_nothing_generated_is_stale():
    assert build(check=True) == []


def test_the_course_keeps_its_own_rules():
    assert [str(problem) for problem in lint()] == []


@each_lesson
def test_the_readme_names_the_functions_points_and_minutes_of_the_records(lesson):
    assert [(row[1], int(row[3]), int(row[4])) for row in table(readme(lesson), "Exercises")] == [
        (exercise.function, exercise.points, exercise.minutes) for exercise in lesson.exercises
    ]
    assert [(row[1], int(row[3])) for row in table(readme(lesson), "Predictions")] == [
        (question.variable, question.points) for question in lesson.questions
    ]


@each_lesson
def test_the_notebooks_headings_name_the_functions_points_and_minutes_of_the_records(lesson):
    heading = re.compile(r"^`(\w+)` · (\d+) points? · about (\d+) minutes? ", re.MULTILINE)
    text = "\n".join(source for cell, source in notebook_cells("lessons", lesson) if cell["cell_type"] == "markdown")
    assert [(name, int(points), int(minutes)) for name, points, minutes in heading.findall(text)] == [
        (exercise.function, exercise.points, exercise.minutes) for exercise in lesson.exercises
    ]


@each_lesson
@pytest.mark.parametrize("folder", ["lessons", "solutions"])
def test_the_check_cells_carry_the_points_of_the_records(lesson, folder):
    found = {}
    for cell, source in notebook_cells(folder, lesson):
        if cell["metadata"].get("nbgrader", {}).get("grade") and cell["cell_type"] == "code":
            found[re.fullmatch(r'check\("([\w.]+)", \w+\)', source)[1]] = cell["metadata"]["nbgrader"]["points"]
    assert found == {item.id: item.points for item in (*lesson.exercises, *lesson.questions)}


@each_lesson
@pytest.mark.parametrize("folder", ["lessons", "solutions"])
def test_one_cell_is_answered_in_words_and_marked_by_hand(lesson, folder):
    (question,) = lesson.open_questions
    marked = [cell for cell, _ in notebook_cells(folder, lesson) if cell["metadata"].get("nbgrader", {}).get("grade")]
    (cell,) = [cell for cell in marked if cell["cell_type"] == "markdown"]
    about = cell["metadata"]["nbgrader"]
    assert (about["grade_id"], about["points"], about["solution"]) == (question.name, question.points, True)


@each_lesson
def test_no_answer_of_a_question_is_in_the_students_folder(lesson):
    for path in (ROOT / "lessons" / lesson.id).glob("*.*"):
        if path.suffix != ".png":
            text = path.read_text(encoding="utf-8").replace('\\"', '"')
            assert "BEGIN SOLUTION" not in text
            given = [q.id for q in lesson.questions if f"{q.variable} = {q.literal}" in text]
            assert not given, path
            assert not any(line in text for question in lesson.open_questions for line in question.rubric)

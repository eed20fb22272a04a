import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.authoring.build import build_lessons, outputs
from autograder.authoring.student_notebook import PREPROCESSORS

CONFTEST = Path(__file__).with_name("conftest.py")


@pytest.fixture
def nbgrader(course, tmp_path):
    """The real command in the toy's course folder, where the toy is the one lesson of the course."""
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(
            "\nimport runpy\nfrom autograder.course import registry\n"
            f"registry.lessons = lambda: (runpy.run_path({str(CONFTEST)!r})['toy_lesson'](),)\n"
        )
    places = {
        name: str(tmp_path / name)
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }

    def run(*arguments):
        command = [sys.executable, "-m", "nbgrader", *arguments]
        return subprocess.run(
            command,
            cwd=course,
            env=os.environ | places | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run


def student_folder(course):
    return {p.name: p.read_bytes() for p in (course / "lessons/03_toy").iterdir()}


@pytest.mark.parametrize("flags", [(), ("--force", "--create"), ("--no-db",)], ids=["plain", "force", "no_db"])
def test_the_stock_command_leaves_the_folder_as_build_makes_it(course, toy, nbgrader, flags):
    build_lessons(course, [toy])
    built = student_folder(course)
    (course / "lessons/03_toy/toy.ipynb").unlink()
    (course / "solutions/03_toy/expected.npy").write_bytes(b"what the inputs of cases.py give")
    result = nbgrader("generate_assignment", "03_toy", *flags)
    assert result.returncode == 0, result.stderr
    assert student_folder(course) == built
    assert len(built) == 5


def test_the_gradebook_knows_the_lesson_although_the_folder_was_there(course, toy, nbgrader):
    build_lessons(course, [toy])
    assert nbgrader("generate_assignment", "03_toy").returncode == 0
    with sqlite3.connect(course / "gradebook.db") as book:
        rows = book.execute("select max_score, cell_type from grade_cells").fetchall()
    book.close()
    assert sum(points for points, kind in rows if kind == "code") == toy.points
    assert [points for points, kind in rows if kind == "markdown"] == [toy.open_questions[0].points]


def test_the_stock_command_refuses_a_source_that_is_not_the_lessons_text(course, toy, nbgrader):
    build_lessons(course, [toy])
    path = course / "solutions/03_toy/toy.ipynb"
    path.write_text(path.read_text().replace("Twice", "Thrice"))
    result = nbgrader("generate_assignment", "03_toy")
    assert result.returncode == 1
    assert (
        "solutions/03_toy/toy.ipynb is not what solutions/03_toy/toy.md says; run `cnnviz build 03_toy`"
        in result.stderr
    )
    assert "Traceback" not in result.stderr


def test_the_stock_command_refuses_another_pipeline(course, toy, nbgrader):
    build_lessons(course, [toy])
    with (course / "nbgrader_config.py").open("a") as config:
        config.write("\nc.GenerateAssignment.preprocessors = ['nbgrader.preprocessors.ClearSolutions']\n")
    result = nbgrader("generate_assignment", "03_toy")
    assert result.returncode == 1
    assert "lessons/03_toy/toy.ipynb is not what `cnnviz build` makes" in result.stderr


def test_an_assignment_of_the_instructors_own_is_released_as_nbgrader_does(course, toy, nbgrader):
    build_lessons(course, [toy])
    own = course / "solutions/exam"
    own.mkdir()
    notebook = json.loads((course / "solutions/03_toy/toy.ipynb").read_text())
    for cell in notebook["cells"]:
        cell["metadata"].pop("cnnviz", None)
    (own / "exam.ipynb").write_text(json.dumps(notebook))
    (own / "answers.py").write_text("secret = 1\n")
    result = nbgrader("generate_assignment", "exam")
    assert result.returncode == 0, result.stderr
    released = course / "lessons/exam"
    assert [p.name for p in released.iterdir()] == ["exam.ipynb"]
    assert "# YOUR CODE HERE" in (released / "exam.ipynb").read_text()


def test_the_configuration_lists_the_pipeline_of_build(course):
    class Recorder:
        def __getattr__(self, name):
            self.__dict__[name] = made = Recorder()
            return made

    config = Recorder()
    path = course / "nbgrader_config.py"
    exec(compile(path.read_text(), str(path), "exec"), {"get_config": lambda: config, "__file__": str(path)})
    listed = [name.rsplit(".", 1)[1] for name in config.GenerateAssignment.preprocessors]
    assert listed == [stage.__name__ for stage in PREPROCESSORS]
    assert Path(config.CourseDirectory.root) == course.resolve()


def test_the_release_leaves_the_solved_notebook_alone(course, toy):
    made = outputs(course, toy)
    assert b"return times * x" in made["solutions/03_toy/toy.ipynb"]
    assert b"return times * x" not in made["lessons/03_toy/toy.ipynb"]

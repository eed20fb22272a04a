"""The page for those who change the course, done as it says from an empty folder; what it promises is there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from torchvision.utils import save_image

import cnnviz

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adapting.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)(?: (\S+))?\n(.*?)```", PAGE, re.DOTALL)
OWN = "16_blur"
SEEN = """
import json, sys
from autograder.course import outlines, registry
from autograder.course.choices import choices
capture = registry.exercise("grad_cam.capture")
print(json.dumps({
    "lessons": [lesson.id for lesson in registry.lessons()], "outlines": [each.id for each in outlines.outlines()],
    "known": len(registry.known()), "dropped": registry.lesson("14").id, "capture": capture.points,
    "question": registry.question("grad_cam.sum_or_mean").points, "outline": outlines.item("grad_cam.capture").points,
    "deadline": choices().deadlines["11_grad_cam"].isoformat(), "rest": [choices().per_day, choices().at_most,
    choices().drop_lowest, choices().weights["01_filters"]],
}))
"""


def settings() -> str:
    """The lines of all TOML on the page, those of no table first."""
    parts = [text.partition("[") for language, _, text in BLOCKS if language == "toml"]
    top = [head if not head.rstrip().endswith("=") else head + mark + rest for head, mark, rest in parts]
    tables = [mark + rest for head, mark, rest in parts if not head.rstrip().endswith("=")]
    return "\n".join([*top, *tables])


class Instructor:
    """A folder, and commands in it, of somebody who has only the installed package."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "CNNVIZ_BELIEVED": str(folder.parent / "believed"), "OMP_NUM_THREADS": "1"}
        self.environment.pop("CNNVIZ_COURSE", None)

    def __call__(self, *arguments: str, status: int = 0) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "autograder.cli", *arguments],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=400,
        )  # fmt: skip
        assert ran.returncode == status, (arguments, ran.stdout + ran.stderr)
        return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def instructor(tmp_path_factory):
    """The folder in which every box was followed, with a picture of a cat where it is needed."""
    folder = tmp_path_factory.mktemp("adapting") / "mine"
    folder.mkdir()
    instructor, written = Instructor(folder), folder / "solutions" / OWN
    for language, file, text in BLOCKS:
        if language == "console":
            for line in text.splitlines():
                instructor(*shlex.split(line)[1:])
        elif file:
            with (written / file).open("a", encoding="utf-8") as place:
                place.write(f"\n\n{text}")
    save_image(cnnviz.photo("chelsea"), written / "cat.png")
    instructor("build", "blur")
    return instructor


def test_what_the_page_adds_to_a_lesson_passes_the_lint(instructor):
    assert instructor("lint", "blur").strip() == "0 problems."
    said = instructor("check", "blur", "--submission", "solutions", "--json", "verdicts.json")
    checks = [row["check"] for row in json.loads((instructor.folder / "verdicts.json").read_text())["checks"]]
    assert "values: a photo" in checks, said
    assert "hidden values: a small network" in checks
    assert (instructor.folder / "lessons" / OWN / "cat.png").is_file()


def test_two_submissions_are_graded_and_exported(instructor):
    solved = (instructor.folder / "solutions" / OWN / "blur.py").read_text(encoding="utf-8")
    for student, code in {"ada": solved, "ben": solved.replace(" - activations.amin(dim=(2, 3))", "", 1)}.items():
        place = instructor.folder / "submitted" / student / OWN / "blur.py"
        place.parent.mkdir(parents=True)
        place.write_text(code, encoding="utf-8")
    instructor("grade", "submitted", "--out", "results", "--jobs", "1")
    instructor("verify", "results")
    instructor("export", "csv", "results", "--out", "points.csv")
    ada, ben = (instructor.folder / "points.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert "passed" in ada
    assert "failed" in ben
    result = json.loads(next((instructor.folder / "results").rglob("ben/*/*reach.json")).read_bytes())
    assert "largest_alone" in json.dumps(result)


def test_nothing_was_written_into_the_course(instructor):
    done = subprocess.run(["git", "status", "--porcelain", "lessons", "solutions", "autograder"], cwd=ROOT,
                          capture_output=True, text=True)  # fmt: skip
    if done.returncode:
        pytest.skip("this is no clone")
    assert OWN not in done.stdout
    assert not list((ROOT / "autograder").rglob(f"{OWN}*"))


def test_what_is_chosen_counts_in_every_list(tmp_path):
    file = tmp_path / "course.toml"
    file.write_text(settings(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SEEN], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "CNNVIZ_COURSE": str(file), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    seen = json.loads(done.stdout or done.stderr)
    assert seen == {
        "lessons": ["11_grad_cam", "01_filters", "15_which_map"],
        "outlines": ["11_grad_cam", "01_filters", "15_which_map"],
        "known": 15,
        "dropped": "14_lrp",
        "capture": 20,
        "question": 2,
        "outline": 20,
        "deadline": "2026-11-30T23:59:00+01:00",
        "rest": [10.0, 50.0, 1, 10],
    }


def test_a_new_lesson_that_course_toml_does_not_list_is_said_to_be_taught_to_nobody(tmp_path):
    instructor = Instructor(tmp_path)
    instructor("new", "course")
    file = tmp_path / "course.toml"
    file.write_text('lessons = ["11"]\n' + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert f'Nobody is taught it yet: write "{OWN}" into lessons = [...]' in instructor("new", "lesson", "blur")

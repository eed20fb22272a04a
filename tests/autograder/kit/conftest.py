"""The release of one lesson, made once."""

from pathlib import Path

import pytest

from autograder.course import registry
from autograder.course.recorded.lessons import lessons
from autograder.kit import contents
from autograder.kit.release import release

ROOT = Path(__file__).parents[3]
LESSON = "11_grad_cam"


@pytest.fixture(scope="package")
def released(tmp_path_factory):
    """The folder that `cnnviz release DIR --lessons 11` leaves."""
    return release(tmp_path_factory.mktemp("release") / "spring", ["11"])


@pytest.fixture(scope="package")
def recorded(tmp_path_factory):
    """A function that gives a lesson as a student's copy has it."""
    folder, made = tmp_path_factory.mktemp("packs"), {}

    def lesson(name):
        if name not in made:
            for file, content in contents.packs(registry.lesson(name)).items():
                (folder / name).mkdir(exist_ok=True)
                (folder / name / file).write_bytes(content)
            made.update({each.id: each for each in lessons(folder)})
        return made[name]

    return lesson

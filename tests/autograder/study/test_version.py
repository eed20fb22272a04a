"""What is kept of a student's checks is believed as long as nothing changes that a verdict depends on."""

import shutil

import pytest

from autograder.course.locations import SOLUTIONS
from autograder.study import version


@pytest.fixture
def solutions(tmp_path, monkeypatch):
    """Two lessons' folders, of which a change is seen."""
    for name in ("10_cam", "11_grad_cam"):
        shutil.copytree(SOLUTIONS / name, tmp_path / "solutions" / name)
    shutil.copy(SOLUTIONS / "mistakes.md", tmp_path / "solutions")
    monkeypatch.setattr(version, "SOLUTIONS", tmp_path / "solutions")
    monkeypatch.setattr(version, "CODE", tmp_path)
    return tmp_path / "solutions"


@pytest.mark.parametrize(
    "file", ["11_grad_cam/mistakes.md", "11_grad_cam/grad_cam.md", "11_grad_cam/cases.py", "mistakes.md"]
)
def test_a_change_of_what_a_lesson_is_made_of_makes_another_version(solutions, file):
    before = version.version.__wrapped__()
    assert version.version.__wrapped__() == before
    with (solutions / file).open("a", encoding="utf-8") as written:
        written.write("\n")
    assert version.version.__wrapped__() != before

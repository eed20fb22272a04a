"""The version of the checks: every file that a verdict depends on, and no other."""

import pytest

from autograder.core import version as versions
from autograder.core.version import checks_version, libraries
from autograder.course import sources
from autograder.course.locations import CODE, Home

LESSON = "11_grad_cam"


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The course's files in a folder of their own."""
    for name in ("autograder", "cnnviz", "cnnviz_ref", "solutions"):
        for path in [*(CODE / name).rglob("*.[pm][yd]"), *(CODE / name).rglob("*.safetensors")]:
            place = tmp_path / path.relative_to(CODE)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(path.read_bytes())
    monkeypatch.setattr(versions, "CODE", tmp_path)
    monkeypatch.setattr(versions, "OURS", Home(tmp_path))
    monkeypatch.setattr(versions, "home_of", lambda lesson: Home(tmp_path))
    return tmp_path


def version(lesson):
    sources.imported.cache_clear()
    return checks_version.__wrapped__(lesson)


def change(path):
    """As an author changes a file; an instructor's clone has no packs, a student's copy has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.write(b"\n# changed\n")


@pytest.mark.parametrize(
    "place",
    [
        "solutions/11_grad_cam/cases.py",
        "solutions/11_grad_cam/mistakes.md",
        "solutions/mistakes.md",
        "autograder/core/compare.py",
        "autograder/isolated/calling.py",
        "cnnviz_ref/grad_cam.py",
        "cnnviz/small_nets.py",
        "cnnviz/data/digit_net.safetensors",
        "solutions/11_grad_cam/grad_cam.md",
        "autograder/course/recorded/packs/11_grad_cam/capture.safetensors",
    ],
)
def test_a_file_that_a_verdict_depends_on_changes_the_version(copied, place):
    before = version(LESSON)
    change(copied / place)
    assert version(LESSON) != before


@pytest.mark.parametrize(
    "place",
    ["solutions/14_lrp/cases.py", "autograder/cli.py", "autograder/batch/grade_class.py", "cnnviz_ref/lrp.py",
     "solutions/10_cam/cam.py"],
)  # fmt: skip
def test_other_files_leave_the_version_as_it_is(copied, place):
    before = version(LESSON)
    change(copied / place)
    assert version(LESSON) == before


def test_line_ends_of_another_system_leave_the_version_as_it_is(copied):
    before = version(LESSON)
    path = copied / "solutions" / "11_grad_cam" / "cases.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert version(LESSON) == before


def test_libraries_are_named_with_their_versions():
    assert set(libraries()) == {"python", *versions.LIBRARIES}
    assert "not installed" not in libraries().values()

"""Which saves are heard, and which files are nobody's business."""

import asyncio
import shutil

import pytest

from autograder.study.folder import works
from autograder.study.watching import saves

from .conftest import ROOT


@pytest.fixture
def two(student):
    shutil.copytree(ROOT / "lessons/01_filters", student / "lessons/01_filters")
    return works(student / "lessons")


def heard(two, act, seconds=0.6):
    """What is told of while `act` changes files."""

    async def listen():
        stop, found = asyncio.Event(), []

        async def follow():
            async for work, files in saves(two, stop):
                found.append((work.outline.number, sorted(path.name for path in files)))

        following = asyncio.create_task(follow())
        await asyncio.sleep(0.3)
        act()
        await asyncio.sleep(seconds)
        stop.set()
        await following
        return found

    return asyncio.run(listen())


def test_a_file_renamed_into_place_is_one_save(two):
    def jupyter():
        half = two[0].folder / ".~filters.ipynb"
        half.write_text("{}")
        half.replace(two[0].notebook)

    assert heard(two, jupyter) == [("01", ["filters.ipynb"])]


def test_a_save_in_several_steps_is_one_save(two):
    def slowly():
        for n in range(5):
            with two[1].module.open("a") as file:
                file.write(f"# {n}\n")

    assert heard(two, slowly) == [("11", ["grad_cam.py"])]


IMPORTED = {
    "a module beside it": ({}, "import helpers", "helpers.py"),
    "one in a package": ({}, "from tools.means import mean", "tools/means.py"),
    "a package": ({"tools/means.py": ""}, "import tools", "tools/__init__.py"),
    "one that another imports": ({"helpers.py": "import dims"}, "import helpers", "dims.py"),
}


@pytest.mark.parametrize("form", IMPORTED)
def test_a_module_that_the_work_imports_is_heard(two, form):
    others, text, saved = IMPORTED[form]
    (two[0].folder / "tools").mkdir()
    for name, content in {two[0].module.name: text, **others}.items():
        (two[0].folder / name).write_text(content)
    path = two[0].folder / saved
    assert heard(two, lambda: path.write_text("D = 1")) == [("01", [path.name])]


def test_a_module_that_is_taken_away_is_heard(two):
    helper = two[0].folder / "helpers.py"
    helper.write_text("D = 1")
    two[0].module.write_text("from helpers import D")
    assert heard(two, helper.unlink) == [("01", ["helpers.py"])]


def test_a_module_that_nothing_imports_is_not_heard(two):
    assert heard(two, lambda: (two[0].folder / "helpers.py").write_text("helpers = 1")) == []


def test_what_editors_leave_beside_the_file_is_not_heard(two):
    def clutter():
        for name in (".filters.py.swp", "filters.py~", "#filters.py#", "4913", "filters_backup_2026.py", "notes.md"):
            (two[0].folder / name).write_text("x")
        checkpoints = two[0].folder / ".ipynb_checkpoints"
        checkpoints.mkdir()
        (checkpoints / "filters.ipynb").write_text("{}")

    assert heard(two, clutter) == []

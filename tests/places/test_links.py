"""Badges and links: they name a file that is there, at the place and version that are set in one module."""

import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import pytest

from autograder.authoring import publishing
from autograder.course import registry

ROOT = Path(__file__).parents[2]
each_lesson = pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)


@each_lesson
def test_the_readmes_badges_open_this_lessons_notebook_of_the_tagged_version(lesson):
    text = (ROOT / "lessons" / lesson.id / "README.md").read_text(encoding="utf-8")
    colab, binder = re.findall(r"\[!\[Open [^]]+\]\([^)]+\)\]\(([^)]+)\)", text)
    prefix = f"/github/{publishing.REPOSITORY}/blob/{publishing.RELEASE}/"
    path = urlparse(colab).path
    assert path.startswith(prefix)
    assert (ROOT / path.removeprefix(prefix)).is_file()
    assert urlparse(binder).path == f"/v2/gh/{publishing.REPOSITORY}/{publishing.RELEASE}"
    (opened,) = parse_qs(urlparse(binder).query)["labpath"]
    assert unquote(opened) == path.removeprefix(prefix)


def test_the_repositorys_address_stands_in_one_module_only():
    owner = publishing.REPOSITORY
    files = [*(ROOT / "autograder").rglob("*.py"), *(ROOT / ".binder").glob("*"), *(ROOT / ".devcontainer").glob("*")]
    assert [str(p.relative_to(ROOT)) for p in files if owner in p.read_text(encoding="utf-8")] == [
        "autograder/authoring/publishing.py"
    ]

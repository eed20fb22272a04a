"""Badges and links: none while no repository is named; then to a file that is there, at that place and version."""

import re
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlparse

import pytest

from autograder.authoring import publishing
from autograder.authoring.build import outputs
from autograder.course import registry

ROOT = Path(__file__).parents[2]
each_lesson = pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)
STAND_IN = re.compile(r"(github\.com|/github|/gh)/(OWNER|USER|ORG|example)\b", re.IGNORECASE)


def readme(lesson, **given):
    return outputs(ROOT, lesson, **given)[f"lessons/{lesson.id}/README.md"].decode()


@each_lesson
def test_the_readmes_badges_open_this_lessons_notebook_of_the_tagged_version(lesson, monkeypatch):
    monkeypatch.setattr(publishing, "REPOSITORY", "ada/cnn-course")
    colab, binder = re.findall(r"\[!\[Open [^]]+\]\([^)]+\)\]\(([^)]+)\)", publishing.badges(lesson))
    prefix = f"/github/ada/cnn-course/blob/{publishing.RELEASE}/"
    path = urlparse(colab).path
    assert path.startswith(prefix)
    assert (ROOT / path.removeprefix(prefix)).is_file()
    assert urlparse(binder).path == f"/v2/gh/ada/cnn-course/{publishing.RELEASE}"
    (opened,) = parse_qs(urlparse(binder).query)["labpath"]
    assert unquote(opened) == path.removeprefix(prefix)


def test_a_readme_has_badges_where_a_repository_is_named_and_a_handout_never(monkeypatch):
    lesson = registry.lesson("11")
    monkeypatch.setattr(publishing, "REPOSITORY", "")
    assert "[![Open" not in readme(lesson)
    monkeypatch.setattr(publishing, "REPOSITORY", "ada/cnn-course")
    assert publishing.badges(lesson) in readme(lesson)
    handed = readme(lesson, handout=publishing.handout_cell())
    assert "[![Open" not in handed
    assert "](../" not in handed, "a class is handed no folder above its lessons"


def test_nothing_that_is_made_or_configured_leads_to_a_stand_in():
    made = [
        path for folder in ("lessons", "solutions") for path in (ROOT / folder).glob("*/*") if path.suffix != ".png"
    ]
    folders = [path for folder in (".binder", ".devcontainer", ".github") for path in (ROOT / folder).rglob("*")]
    texts = {path: path.read_text(encoding="utf-8") for path in (*made, *folders) if path.is_file()}
    assert [path for path, text in texts.items() if STAND_IN.search(text)] == []
    assert STAND_IN.search("https://colab.research.google.com/github/OWNER/cnnviz/blob/v0.1.0/lessons")


def test_the_repositorys_address_stands_in_one_module_only():
    named = f'REPOSITORY = "{publishing.REPOSITORY}"'
    files = [*(ROOT / "autograder").rglob("*.py"), *(ROOT / ".binder").glob("*"), *(ROOT / ".devcontainer").glob("*")]
    found = [p for p in files if (publishing.REPOSITORY or named) in p.read_text(encoding="utf-8")]
    assert [str(p.relative_to(ROOT)) for p in found] == ["autograder/authoring/publishing.py"]

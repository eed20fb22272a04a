"""A `course.toml` for one test."""

import sys

import pytest

from autograder.course import choices


def forget():
    """Empties every cache of the package: what is kept of lessons is kept in several modules."""
    for name, module in sys.modules.copy().items():
        if name.startswith("autograder."):
            for value in vars(module).values():
                getattr(value, "cache_clear", lambda: None)()


@pytest.fixture
def chosen(tmp_path, monkeypatch):
    """Writes a course.toml, by which everything goes until the end of the test."""

    def write(text):
        (tmp_path / "course.toml").write_text(text, encoding="utf-8")
        monkeypatch.setenv(choices.VARIABLE, str(tmp_path / "course.toml"))
        forget()

    yield write
    monkeypatch.undo()
    forget()

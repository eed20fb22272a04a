"""The course secret: where it comes from, and that it is never guessed at."""

import stat
from pathlib import Path

import pytest

from autograder.batch.secret import course_secret, seeds_name, signing_key


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CNNVIZ_SECRET", raising=False)


def test_a_secret_is_made_once_for_the_owner_alone_and_told():
    told = []
    first = course_secret(told=told.append)
    assert course_secret(told=told.append) == first
    assert len(first) > 40
    assert stat.S_IMODE(Path(".cnnviz_secret").stat().st_mode) == 0o600
    assert [path.name for path in Path().iterdir()] == [".cnnviz_secret"]
    (sentence,) = told
    assert sentence.startswith("A course secret was made: ")
    assert first not in sentence


def test_environment_then_file_then_the_one_of_this_folder(monkeypatch):
    Path(".cnnviz_secret").write_text("here\n")
    Path("named").write_text("named\n")
    assert (course_secret(), course_secret(Path("named"))) == ("here", "named")
    monkeypatch.setenv("CNNVIZ_SECRET", "there")
    assert course_secret() == "there"
    with pytest.raises(ValueError, match="CNNVIZ_SECRET and named hold different ones; unset the variable"):
        course_secret(Path("named"))


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\n", "secret: f is empty; write one long"), (b"\xff", "secret: f is not text; it should hold one long")],
)
def test_an_unusable_file_is_one_sentence(content, words):
    Path("f").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        course_secret(Path("f"))


def test_a_missing_file_is_not_made_by_mistake():
    with pytest.raises(ValueError, match="secret: typo does not exist; write one long random line there"):
        course_secret(Path("typo"))
    with pytest.raises(ValueError, match="secret: got none for results that are signed; set CNNVIZ_SECRET"):
        course_secret(make=False)
    assert list(Path().iterdir()) == []


def test_the_name_tells_nothing_of_the_key():
    assert seeds_name("a") != seeds_name("b")
    assert seeds_name("a") not in signing_key("a").hex()

"""The pages of a class: whole, small, not live, and made once."""

from dataclasses import replace

import pytest

from autograder.batch.results import Store
from autograder.core.diagnose import Diagnosis
from autograder.core.message import message
from autograder.course import registry
from autograder.feedback.class_pages import make_index, make_pages
from autograder.text.formulas import as_mathml
from tests.autograder.feedback.wrong import results
from tests.hostile.range.live import live_in_page

HOSTILE = "</p><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\u202e"


def made(folder, found=None):
    return list(make_pages(found or results(), folder))


def test_the_page_says_what_is_wrong_with_the_formula_the_values_and_the_next_step(tmp_path):
    (one,) = made(tmp_path)
    text = one.path.read_text("utf-8")
    for words in ("divide by Z", "<math", "the formula&#39;s", "What to look at next", "Begin with",
                  'href="#grad_cam.capture"', "cnnviz hint grad_cam.grad_cam", "0 of 33 points"):  # fmt: skip
        assert words in text
    assert live_in_page(text) == []
    assert one.path.stat().st_size < 1_000_000


def test_why_the_code_cannot_be_loaded_is_said_once(tmp_path):
    why = Diagnosis("load", "ImportError", message("load", type="ImportError", text="no my_utils", advice=""))
    found = [replace(r, rows=tuple(replace(row, diagnosis=why) for row in r.rows)) for r in results()]
    (one,) = made(tmp_path, found)
    text = one.path.read_text("utf-8")
    assert text.count("no my_utils") == 1
    assert text.count('The code cannot be loaded: <a href="#grad_cam.capture">see above</a>.') == len(found) - 1
    assert "What to look at next" not in text


def test_a_page_that_says_the_same_is_not_written_again(tmp_path):
    (first,) = made(tmp_path)
    before = first.path.stat().st_mtime_ns
    assert not made(tmp_path)[0].fresh
    assert first.path.stat().st_mtime_ns == before
    changed = [replace(result, rows=result.rows[:1]) for result in results()]
    assert made(tmp_path, changed)[0].fresh


def test_half_a_page_is_made_again(tmp_path):
    (one,) = made(tmp_path)
    whole = one.path.read_bytes()
    one.path.write_bytes(b"<!doctype html>")
    assert made(tmp_path)[0].fresh
    assert one.path.read_bytes() == whole
    assert sorted(path.name for path in one.path.parent.iterdir()) == ["11_grad_cam.html"]


def test_hostile_names_and_messages_stay_text(tmp_path):
    hostile = message("raised", type=HOSTILE, text=HOSTILE, advice=HOSTILE)
    told = [replace(r, diagnosis=replace(r.diagnosis, message=hostile)) for r in results()[0].rows]
    found = [replace(result, student=HOSTILE, rows=tuple(told)) for result in results()]
    pages = made(tmp_path, found)
    for text in (pages[0].path.read_text("utf-8"), make_index(pages, tmp_path).read_text("utf-8")):
        assert "<script" not in text
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "onerror=" not in text.replace("onerror=alert(1)&gt;", "")


def test_the_index_names_everybody_and_leads_to_every_page(tmp_path):
    pages = made(tmp_path, [*results("ada"), *results("김민준, 서연")])
    index = make_index(pages, tmp_path).read_text("utf-8")
    assert "<bdi>김민준, 서연</bdi>" in index
    assert index.count("11_grad_cam.html") == 2


@pytest.mark.parametrize("lesson", [lesson.id for lesson in registry.lessons()])
def test_every_formula_is_drawn(lesson):
    for exercise in registry.lesson(lesson).exercises:
        drawn = as_mathml(exercise.formula, block=True)
        assert drawn.startswith("<math"), exercise.id
        assert "\\" not in drawn, exercise.id


def test_the_command_writes_pages_and_says_how_many(tmp_path, monkeypatch, capsys):
    from autograder.commands.class_reports import feedback

    monkeypatch.setenv("CNNVIZ_SECRET", "s" * 40)
    store = Store(tmp_path / "results", "s" * 40)
    with store.at_work():
        for result in results():
            store.put(result)
    feedback(tmp_path / "results", tmp_path / "pages")
    assert "1 page, 1 of them new" in capsys.readouterr().out
    assert (tmp_path / "pages/ada/11_grad_cam.html").is_file()
    feedback(tmp_path / "results", tmp_path / "pages")
    assert "1 page, 0 of them new" in capsys.readouterr().out

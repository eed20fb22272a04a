"""A submission is read as text: what counts, what is missing, what cannot be read."""

import json
import tracemalloc

import pytest

from autograder.course.records import Lesson
from autograder.reading.cells import Unreadable
from autograder.reading.submission import NOT_RUN, Source, Submission, from_code, from_notebook, load_submission

from .batch.watching import outside, watched

LESSON = Lesson(id="99_toy", title="Toy", summary="A toy.", exercises=(), questions=())
STUB = 'def f(x):\n    """Doc."""\n    # about 1 line\n    raise NotImplementedError("write me")\n'
DONE = "def f(x):\n    return x\n"
NEEDS = "def f(x):\n    return x * n\n"


def one(text):
    return Submission((Source("toy.py", text),))


def notebook(*cells):
    made = []
    for source, grade_id in cells:
        about = {"nbgrader": {"grade_id": grade_id, "solution": True}} if grade_id else {}
        made.append({"cell_type": "code", "metadata": about, "source": source})
    return {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


@pytest.mark.parametrize("stub", [STUB, "def f(x):\n    raise NotImplementedError\n"])
def test_a_stub_is_not_attempted(stub):
    assert not one(stub).attempted("f")


PASS, LATE = "def f(x):\n    pass\n", "def f(x):\n    y = 1\n    raise NotImplementedError\n"


@pytest.mark.parametrize("text", [DONE, PASS, LATE])
def test_anything_else_is_attempted(text):
    assert one(text).attempted("f")


def test_a_function_that_is_not_there_is_not_attempted():
    assert not one("x = 1").attempted("f")


def test_code_that_does_not_parse_is_attempted_where_it_names_the_function():
    assert one("def f(x:\n").attempted("f")
    assert not one("def f(x:\n").attempted("g")


def test_the_last_definition_counts():
    assert one(STUB + DONE).attempted("f")
    assert not one(DONE + STUB).attempted("f")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("q = 'a'", "a"),
        ("q = None", None),
        ("q: str = 'b'", "b"),
        ("q = 'a'\nq = 'c'", "c"),
        ("q = print('b')", NOT_RUN),
        ("q = 0.5", "0.5"),
        ("q = -(37.9 / 49 + 1)", str(-(37.9 / 49 + 1))),
        ("q = 7", "7.0"),
        ("q = +7", "7.0"),
        ("q = True", NOT_RUN),
        ("q = 2j", NOT_RUN),
        ("q = 1 / 0", NOT_RUN),
        ("q = 1e308 * 10", "inf"),
        ("q = 9 ** 9 ** 9", NOT_RUN),
        (f"q = {10**400}", NOT_RUN),
        ("q = " + " + ".join(["1"] * 20), "20.0"),
        ("q = " + " + ".join(["1"] * 2000), NOT_RUN),
        ("", None),
    ],
)
def test_an_answer_is_read_without_running_anything(text, answer):
    assert one(text).answer("q") == answer


def test_a_syntax_error_is_one_sentence_with_its_line():
    sentence = one("x = 1\ndef f(:\n").syntax_error()
    assert sentence == "submission: toy.py, line 2: invalid syntax; correct it and check again."


def test_of_a_notebook_what_the_function_needs_is_sent_and_nothing_else(tmp_path):
    path = tmp_path / "toy.ipynb"
    shown = ["f(3)\nprint(1)", "y = f(3)\nshape = y.shape", "for x in range(3):\n    f(x)", "import os", "broken ("]
    path.write_text(json.dumps(notebook(*((text, None) for text in shown), ("n = 3\nk = 2", None), (NEEDS, "f"))))
    assert [(cell.source, cell.own) for cell in from_notebook(path).cells("f")] == [("n = 3\n", False), (NEEDS, False)]


def test_magics_of_a_notebook_do_no_harm(tmp_path):
    path = tmp_path / "toy.ipynb"
    path.write_text(json.dumps(notebook(("%matplotlib inline\n!ls\n" + DONE, "f"))))
    assert from_notebook(path).attempted("f")


class Function:
    def __init__(self, function):
        self.function = function


NO_NOTEBOOKS = ["{", "[]", "3", '"worksheets"', '{"cells": 3}', '{"cells": "code"}', "\ufeff", "[" * 100_000]


@pytest.mark.parametrize("text", NO_NOTEBOOKS)
def test_a_file_that_is_no_notebook_is_one_sentence(tmp_path, text):
    path = tmp_path / "toy.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"toy.ipynb is not a notebook \(.*\); save it again from Jupyter as .ipynb"):
        from_notebook(path)


def test_a_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not exist; name a folder that holds 99_toy/toy.py"):
        load_submission(tmp_path / "nowhere", LESSON)


def test_an_empty_folder_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has neither toy.py nor toy.ipynb"):
        load_submission(tmp_path, LESSON)


def test_a_file_for_a_folder_is_one_sentence(tmp_path):
    (tmp_path / "toy.py").write_text(DONE)
    with pytest.raises(ValueError, match=r"is a file; name the folder"):
        load_submission(tmp_path / "toy.py", LESSON)


def test_text_in_another_encoding_is_one_sentence(tmp_path):
    (tmp_path / "toy.py").write_bytes(b"# caf\xe9\n")
    with pytest.raises(ValueError, match=r"is not UTF-8 text \(byte 5\); save it again as UTF-8"):
        load_submission(tmp_path, LESSON)


def test_a_folder_named_like_the_module_is_one_sentence(tmp_path):
    (tmp_path / "toy.py").mkdir()
    with pytest.raises(ValueError, match=r"toy\.py is no plain file"):
        load_submission(tmp_path, LESSON)


@pytest.mark.parametrize("cookie", ["latin-1", "iso-8859-15", "cp1252"])
def test_a_module_that_declares_a_usual_encoding_is_read_in_it(cookie):
    text = f"# -*- coding: {cookie} -*-\nname = 'é'\n"
    assert from_code(text.encode(cookie), "toy.py").answer("name") == "é"


@pytest.mark.parametrize("cookie", ["punycode", "idna", "utf-7", "rot13", "zlib"])
def test_an_encoding_that_may_take_hours_is_not_tried(cookie):
    with pytest.raises(Unreadable, match=rf"^submission: toy\.py declares the encoding {cookie}; save it again"):
        from_code(f"# coding: {cookie}\n".encode() + b"x" * 1_000_000, "toy.py")


def test_a_declared_encoding_that_does_not_exist_is_no_reason_to_refuse_plain_text():
    assert from_code(b"# coding: klingon\nx = 'a'\n", "toy.py").answer("x") == "a"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_are_one(end):
    assert from_code(f"x = 1{end}y = 2{end}".encode(), "toy.py").sources[0].text == "x = 1\ny = 2\n"


def test_more_code_than_anybody_writes_is_one_sentence():
    with pytest.raises(Unreadable, match=r"toy\.py has 200,001 characters of code, and 200,000 are read; remove"):
        from_code(b"#" * 200_001, "toy.py")


def test_a_class_of_long_texts_does_not_fill_the_memory_with_their_trees():
    kept = [one("x = 1\n" * 4_000 + f"# {n}\n") for n in range(5)]
    tracemalloc.start()
    assert not any(each.attempted("f") for each in kept)
    left, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left < peak / 1.5


def test_text_that_ends_a_parser_by_depth_is_only_text():
    nested = one("x = " + "-" * 50_000 + "1\ny = a" + ".b" * 50_000 + "\n" + "(" * 300)
    assert nested.sources[0].tree is None
    assert not nested.attempted("f")
    assert nested.syntax_error().startswith("submission: toy.py")


def test_code_that_is_no_python_is_read_without_opening_a_file():
    with watched() as events:
        assert one("def f(:\n  a").syntax_error().startswith("submission: toy.py, line 1: ")
    assert outside(events) == []

"""What `make site` writes before Sphinx, and how the finished pages are searched."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from autograder.cli import COMMANDS
from autograder.course import registry

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def making(monkeypatch):
    """Imports a module of the folder `site/making`."""
    monkeypatch.syspath_prepend(str(ROOT / "site"))
    return lambda name: import_module(f"making.{name}")


def page(folder, name, body):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"<html><body>{body}</body></html>", encoding="utf-8")


def test_every_lesson_has_lines_of_its_solution_to_search_for(making):
    told = set(making("leaks").distinctive_lines().values())
    assert {lesson.id for lesson in registry.lessons()} <= told
    assert {"cnnviz_ref/grad_cam.py", "11_grad_cam/cases.py"} <= told


def test_a_line_of_a_solution_is_found_through_the_colours_of_its_words(making, tmp_path):
    line = next(k for k, v in making("leaks").distinctive_lines().items() if v == "11_grad_cam")
    words = "".join(f"<span>{word}</span> " for word in re.split(r"(\W)", line)).replace("<>", "")
    page(tmp_path, "lessons/11_grad_cam.html", f"<pre>{words}</pre>")
    assert list(making("leaks").leaks(tmp_path)) == [f"lessons/11_grad_cam.html: tells a line of 11_grad_cam: {line}"]


def test_the_answer_of_a_prediction_is_found_also_in_the_search_index(making, tmp_path):
    question = registry.question("grad_cam.sum_or_mean")
    (tmp_path / "searchindex.js").write_text(
        f'Search.setIndex({{"x": "{question.options[question.answer].feedback}"}})'
    )
    assert [problem.split(":")[0] for problem in making("leaks").leaks(tmp_path)] == ["searchindex.js"]


def test_a_solved_notebook_among_the_pages_is_found(making, tmp_path):
    solved = ROOT / "solutions" / "01_filters" / "filters.ipynb"
    (tmp_path / "filters.ipynb").write_bytes(solved.read_bytes())
    problems = list(making("leaks").leaks(tmp_path))
    assert problems[0] == "filters.ipynb: is a source; the site has pages only."
    assert any("tells a line of 01_filters" in problem for problem in problems)


def test_a_page_that_tells_nothing_is_no_problem(making, tmp_path):
    page(tmp_path, "a.html", "<pre>raise NotImplementedError</pre>")
    assert list(making("leaks").leaks(tmp_path)) == []


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('<a href="b.html#gone">b</a>', "a.html: the link b.html#gone leads nowhere."),
        ('<a href="c.html">c</a>', "a.html: the link c.html leads nowhere."),
        ('<img src="b.html">', "a.html: 1 pictures have no alternative text."),
        (
            '<script src="https://x.org/a.js"></script>',
            "a.html: loads https://x.org/a.js from the network; put it beside the pages.",
        ),
        ('<a href="b.html#here">b</a> <a href="https://x.org">x</a>', None),
    ],
)  # fmt: skip
def test_links_are_followed_and_nothing_comes_from_the_network(making, tmp_path, body, told):
    page(tmp_path, "a.html", body)
    page(tmp_path, "b.html", '<p id="here">')
    assert list(making("links").broken(tmp_path)) == ([told] if told else [])


def test_a_document_that_is_new_gets_a_page(making):
    assert making("documents").grouped(["grading", "new", "teaching"])["teach"] == ["teaching", "grading", "new"]


def test_links_of_documents_lead_to_pages_or_become_words(making):
    text = "[a](results.md#x) [b](../lessons/11_grad_cam/) [c](../tests/site) [d](https://x.org) ![e](../e.png)"
    assert (
        making("documents").linked(text) == "[a](results.md#x) {doc}`b </lessons/11_grad_cam>` c [d](https://x.org) e"
    )


def test_docstrings_become_restructured_text_and_examples_stay(making):
    got = making("docstrings").converted("`[N]` of $|a|_1$, |b|\n\n>>> f(`x`) | 1\n$2\n\nand `c`")
    assert got == "``[N]`` of :math:`|a|_1`, \\|b\\|\n\n>>> f(`x`) | 1\n$2\n\nand ``c``"


def test_the_pages_name_commands_that_exist():
    texts = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "site" / "texts").glob("*.j2"))
    named = set(re.findall(r"(?m)(?:^    |`)cnnviz ([a-z]+)", texts))
    assert named
    assert named <= set(COMMANDS)

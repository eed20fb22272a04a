import ast
import json

import nbformat
import pytest

from autograder.authoring.build import LESSON, SOLVED, build, build_lessons, generated, outputs, stale
from autograder.course.records import SECTIONS

FILE = "solutions/03_toy/toy.md"
MADE = [
    "autograder/course/outlines/03_toy.json",
    "lessons/03_toy/README.md",
    "lessons/03_toy/picture.png",
    "lessons/03_toy/test_toy.py",
    "lessons/03_toy/toy.ipynb",
    "lessons/03_toy/toy.py",
    "solutions/03_toy/toy.ipynb",
    "solutions/03_toy/toy.py",
]


@pytest.fixture
def made(toy_text, toy):
    return generated(toy_text, toy, file=FILE)


def cells(text):
    return {cell["id"]: cell for cell in json.loads(text)["cells"]}


def source(cell):
    return "".join(cell["source"])


def functions(text):
    return {part.name: part for part in ast.parse(text).body if isinstance(part, ast.FunctionDef)}


def test_a_build_makes_the_eight_files_and_a_second_build_changes_none(course, toy):
    assert sorted(build_lessons(course, [toy])) == MADE
    assert build_lessons(course, [toy]) == []
    assert build_lessons(course, [toy], check=True) == []


def test_check_writes_nothing_and_names_what_is_missing(course, toy):
    assert sorted(build_lessons(course, [toy], check=True)) == MADE
    assert not (course / "lessons").exists()


@pytest.mark.parametrize("path", MADE)
def test_check_names_the_file_that_was_edited(course, toy, path):
    build_lessons(course, [toy])
    (course / path).write_bytes((course / path).read_bytes() + b"x")
    assert build_lessons(course, [toy], check=True) == [path]
    assert stale(course, toy, path.split("/")[0]) == [path]


def test_check_names_everything_that_an_edit_of_the_text_reaches(course, toy, toy_text):
    build_lessons(course, [toy])
    (course / FILE).write_text(toy_text.replace("Twice.", "Two times."), encoding="utf-8")
    assert build_lessons(course, [toy], check=True) == [
        "solutions/03_toy/toy.ipynb",
        "lessons/03_toy/toy.ipynb",
        "autograder/course/outlines/03_toy.json",
    ]


def test_a_checkout_with_windows_line_ends_is_not_stale(course, toy):
    build_lessons(course, [toy])
    path = course / "lessons/03_toy/toy.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert build_lessons(course, [toy], check=True) == []


def test_the_same_text_gives_the_same_bytes_in_any_folder(course, toy, toy_text):
    assert outputs(course, toy) == outputs(course, toy)
    assert generated(toy_text, toy, file="elsewhere/toy.md") == generated(toy_text, toy, file=FILE)


def test_nothing_is_written_when_one_lesson_of_several_is_broken(course, toy, toy_text):
    (course / FILE).write_text(toy_text.replace("## The idea", "## An idea"), encoding="utf-8")
    with pytest.raises(ValueError, match="An idea"):
        build_lessons(course, [toy])
    assert not (course / "lessons").exists()


@pytest.mark.parametrize(("name", "advice"), [("toy.md", "CONTRIBUTING"), ("picture.png", "make_picture.py")])
def test_a_missing_authored_file_is_named_with_what_to_do(course, toy, name, advice):
    (course / "solutions/03_toy" / name).unlink()
    with pytest.raises(ValueError, match=rf"^solutions/03_toy/{name} does not exist.*{advice}"):
        outputs(course, toy)


def test_an_unknown_lesson_is_refused():
    with pytest.raises(ValueError, match='lesson: got "99_none"'):
        build(["99_none"])


def test_notebooks_carry_no_version_no_output_and_unique_ids(made):
    for folder in (SOLVED, LESSON):
        text = made[f"{folder}/03_toy/toy.ipynb"]
        notebook = json.loads(text)
        nbformat.validate(nbformat.reads(text, as_version=4))
        assert "version" not in notebook["metadata"]["language_info"]
        assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
        assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
        assert all(cell.get("outputs", []) == [] and cell.get("execution_count") is None for cell in notebook["cells"])


def test_an_edit_of_one_cell_leaves_the_ids_of_the_others(toy_text, toy, made):
    edited = generated(toy_text.replace("Twice.", "Two times."), toy, file=FILE)
    old, new = (set(cells(m["lessons/03_toy/toy.ipynb"])) for m in (made, edited))
    assert len(old - new) == len(new - old) == 1


def test_solution_and_check_cells_have_the_metadata_of_nbgrader(made):
    found = cells(made["solutions/03_toy/toy.ipynb"])
    usual = {"schema_version": 3, "task": False}
    assert found["double"]["metadata"]["nbgrader"] == usual | {
        "grade_id": "double",
        "grade": False,
        "solution": True,
        "locked": False,
    }
    assert found["check_double"]["metadata"]["nbgrader"] == usual | {
        "grade_id": "check_double",
        "grade": True,
        "solution": False,
        "locked": True,
        "points": 3,
    }
    assert source(found["check_double"]) == 'check("toy.double", double)'
    assert source(found["check_sign"]) == 'check("toy.sign", sign)'
    assert found["check_sign"]["metadata"]["nbgrader"]["points"] == 1


def test_points_in_the_notebook_add_up_to_the_lessons(made, toy):
    found = [c for c in cells(made["lessons/03_toy/toy.ipynb"]).values() if c["cell_type"] == "code"]
    points = [c["metadata"].get("nbgrader", {}).get("points", 0) for c in found]
    assert sum(points) == toy.points
    assert f"A toy worth {toy.points} points" in made["lessons/03_toy/toy.ipynb"]


def test_the_students_cells_are_stubs_with_the_lines_to_expect(made):
    found = cells(made["lessons/03_toy/toy.ipynb"])
    assert source(found["double"]).endswith(
        '    """\n    # Your code here: about 1 line.\n    raise NotImplementedError("toy.double is not written yet")'
    )
    assert "about 3 lines." in source(found["shift"])
    assert source(found["sign"]) == 'sign = None  # "a", "b" or "c"'


def test_no_solution_is_left_in_the_students_folder(made):
    for path, text in made.items():
        if path.startswith(LESSON):
            assert "return times * x" not in text, path
            assert '= "b"' not in text.replace('\\"', '"'), path
            assert "SOLUTION" not in text, path


def test_heading_and_hints_come_from_the_record(made):
    found = cells(made["lessons/03_toy/toy.ipynb"])
    assert source(found["about_shift"]) == (
        "### Exercise 2: The shift\n\n`shift` · 3 points · about 5 minutes · difficulty ★★☆ · about 3 lines of code"
    )
    hints = source(found["hints_shift"])
    assert hints.count("<details>") == hints.count("</details>") == 3
    assert "Look at `torch.mul`." in hints
    assert "```text\ny = 2 * x\n```" in hints
    order = list(found)
    assert (
        order.index("about_shift")
        < order.index("hints_shift")
        == order.index("shift") - 1
        == order.index("check_shift") - 2
    )


def test_a_question_shows_its_options_and_not_its_feedback(made):
    text = source(cells(made["lessons/03_toy/toy.ipynb"])["about_sign"])
    assert "What is sign" in text
    assert '- `"a"`: option a\n- `"b"`: option b\n- `"c"`: option c\n' in text
    assert "feedback" not in text


def test_each_section_begins_a_cell(made):
    starts = [source(cell) for cell in cells(made["lessons/03_toy/toy.ipynb"]).values()]
    assert sum(text.startswith("## ") for text in starts) == len(SECTIONS)


def test_the_solved_module_runs_and_says_that_it_is_generated(made):
    text = made["solutions/03_toy/toy.py"]
    assert text.startswith("# generated by `cnnviz build` from toy.md; do not edit\n")
    assert "SOLUTION" not in text
    space = {}
    exec(text, space)
    assert space["double"](3) == 6
    assert space["shift_again"](3) == 4
    assert [space[name] for name in ("sign", "size", "shape")] == ["b"] * 3
    assert "check" not in space


def test_the_stub_keeps_docstrings_and_asks_for_the_rest(made):
    text = made["lessons/03_toy/toy.py"]
    solved = functions(made["solutions/03_toy/toy.py"])
    assert {n: ast.get_docstring(f) for n, f in functions(text).items()} == {
        n: ast.get_docstring(f) for n, f in solved.items()
    }
    space = {}
    exec(text, space)
    with pytest.raises(NotImplementedError, match=r"^toy\.double is not written yet$"):
        space["double"](1)
    assert space["sign"] is None


def test_the_test_file_is_three_lines_of_code(made):
    assert made["lessons/03_toy/test_toy.py"] == (
        '"""Checks of 03_toy; made by `cnnviz build`, do not edit. Run: pytest lessons/03_toy."""\n\n'
        'LESSON = "03_toy"\n\n\ndef test_check(cnnviz_verdict):\n'
        '    """One check of the lesson; pytest shows the diagnosis where it fails."""\n    cnnviz_verdict.confirm()\n'
    )


def test_the_readme_lists_exercises_questions_and_earlier_lessons(made):
    text = made["lessons/03_toy/README.md"]
    assert "| 2 | `shift` | The shift | 3 | 5 | ★★☆ |" in text
    assert "| 1 | `sign` | What is sign, a \\| or b? | 1 |" in text
    assert "12 points in all; about 15 minutes" in text
    assert "This lesson refers to 02_before." in text
    assert "pytest lessons/03_toy" in text


def test_an_open_question_is_marked_by_hand_and_its_rubric_is_in_the_solved_notebook_alone(made):
    solved, student = (cells(made[f"{folder}/03_toy/toy.ipynb"])["in_words"] for folder in (SOLVED, LESSON))
    for cell in (solved, student):
        about = cell["metadata"]["nbgrader"]
        flags = {name: about[name] for name in ("grade", "solution", "locked", "task", "points", "grade_id")}
        assert flags == {
            "grade": True, "solution": True, "locked": False, "task": False, "points": 2, "grade_id": "in_words",
        }  # fmt: skip
        assert cell["cell_type"] == "markdown"
    assert "- Says that y is 2x." in source(solved)
    assert source(student) == "*Write your answer here.*"
    for path, text in made.items():
        assert ("Says that y is 2x." in text) == (path == f"{SOLVED}/03_toy/toy.ipynb")


def test_the_points_of_an_open_question_are_in_no_total(made, toy):
    assert toy.points == sum(item.points for item in toy.items)
    assert f"{toy.points} points in all" in made[f"{LESSON}/03_toy/README.md"]
    assert "answered in words, and a person marks it (2 points beside the total)" in made[f"{LESSON}/03_toy/README.md"]
    assert f"A toy worth {toy.points} points" in made[f"{LESSON}/03_toy/toy.ipynb"]

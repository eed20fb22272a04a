import copy

import pytest
from nbformat.v4 import new_markdown_cell

from autograder.reading.cells import Found, read_cells
from autograder.reading.rebuild import quoted, rebuilt, unquoted

RIGHT = "def alpha(gradients):\n    return gradients.mean(dim=(2, 3))"


@pytest.fixture
def rebuild(release, handed_in):
    """The graded notebook's cells after a change to the student's file."""
    return lambda change: rebuilt(release, read_cells(handed_in(change).read_bytes(), "grad_cam.ipynb")).cells


def sources(cells):
    return [cell.source for cell in cells]


def test_an_untouched_copy_is_the_release(release, rebuild):
    assert rebuild(lambda cells: None) == release.cells


def test_a_solution_is_the_students_and_nothing_else_changes(release, rebuild):
    cells = rebuild(lambda cells: cells[2].update(source=RIGHT.splitlines(keepends=True)))
    assert cells[2].source == RIGHT
    assert cells[2].metadata == release.cells[2].metadata
    assert cells[:2] + cells[3:] == release.cells[:2] + release.cells[3:]


def test_a_check_cell_pasted_twice_stands_once(release, rebuild):
    assert rebuild(lambda cells: cells.insert(4, copy.deepcopy(cells[3]))) == release.cells


def test_deleted_cells_are_back(release, rebuild):
    assert rebuild(lambda cells: cells.clear()) == release.cells


def test_reordered_cells_are_in_the_order_of_the_release(release, rebuild):
    assert rebuild(lambda cells: cells.reverse()) == release.cells


def test_an_edited_check_cell_is_the_releases_again_and_its_text_stays_as_a_cell_without_points(release, rebuild):
    cells = rebuild(lambda cells: cells[3].update(source='print("4.0")'))
    assert [c.source for c in cells if c.metadata.get("nbgrader", {}).get("grade")] == sources(
        release.cells[i] for i in (3, 5)
    )
    assert next(c for c in cells if c.source == 'print("4.0")').metadata == {}


def test_points_and_schema_are_the_releases(release, rebuild):
    def forge(cells):
        cells[3]["metadata"]["nbgrader"].update(points=400, schema_version=1, grade_id="check_alpha")

    assert rebuild(forge) == release.cells


def test_a_helper_cell_follows_the_cell_that_it_followed(rebuild):
    cells = rebuild(lambda cells: cells.insert(2, {"cell_type": "code", "source": "def helper(): pass"}))
    assert sources(cells)[1:3] == ["import torch", "def helper(): pass"]


def test_a_plain_cell_keeps_the_students_imports(rebuild):
    assert sources(rebuild(lambda cells: cells[1].update(source="import torch, math")))[1] == "import torch, math"


def test_of_a_solution_pasted_twice_the_last_changed_copy_counts_and_no_code_is_lost(rebuild):
    def paste(cells):
        untouched = copy.deepcopy(cells[2])
        cells[2]["source"] = "# a first try"
        cells[3:3] = [dict(copy.deepcopy(untouched), source=RIGHT), untouched]

    cells = rebuild(paste)
    assert sources(cells)[2:5] == ["# a first try", RIGHT, 'check("grad_cam.alpha", alpha)']
    assert cells[3].metadata.nbgrader.grade_id == "alpha"


def test_a_solution_whose_metadata_another_editor_dropped_is_known_by_its_cell_id(rebuild):
    assert sources(rebuild(lambda cells: cells[2].update(source=RIGHT, metadata={})))[2] == RIGHT


def test_a_solution_turned_into_text_by_a_stray_key_counts(rebuild):
    cells = rebuild(lambda cells: cells[2].update(source=RIGHT, cell_type="markdown"))
    assert (cells[2].cell_type, cells[2].source) == ("code", RIGHT)


def test_prose_in_place_of_a_solution_is_no_solution(release, rebuild):
    cells = rebuild(lambda cells: cells[2].update(source="I do not know.", cell_type="markdown"))
    assert cells[3].source == release.cells[2].source


def stripped(cells):
    cells[:] = [{"cell_type": cell["cell_type"], "source": cell["source"]} for cell in cells]


def test_without_any_metadata_solutions_are_known_by_what_they_define(release, rebuild):
    def strip(cells):
        cells[2]["source"], cells[4]["source"] = RIGHT, 'which_sign = "a"'
        stripped(cells)

    cells = rebuild(strip)
    assert sources(cells)[2::2] == [RIGHT, 'which_sign = "a"']
    assert [c.metadata for c in cells] == [c.metadata for c in release.cells]


def test_a_solution_written_into_a_cell_of_its_own_counts_in_place_of_the_untouched_stub(release, rebuild):
    cells = rebuild(lambda cells: cells.insert(1, {"cell_type": "code", "source": RIGHT}))
    assert sources(cells)[2] == RIGHT
    assert len(cells) == len(release.cells)


def test_a_cell_with_several_solutions_comes_after_all_untouched_stubs(release, rebuild):
    both = RIGHT + '\nwhich_sign = "a"'
    cells = rebuild(lambda cells: cells.insert(1, {"cell_type": "code", "source": both}))
    assert sources(cells)[-1] == both
    assert sources(cells)[2] == release.cells[2].source


def test_a_scratch_cell_stays_where_it_is_beside_a_solution_that_was_filled_in(rebuild):
    def scribble(cells):
        cells[2]["source"] = RIGHT
        cells.insert(1, {"cell_type": "code", "source": "def alpha(gradients): return 0"})

    assert sources(rebuild(scribble))[1:4] == ["def alpha(gradients): return 0", "import torch", RIGHT]


def test_code_that_does_not_parse_is_known_by_its_first_line(rebuild):
    broken = "def alpha(gradients):\n    return (gradients"
    cells = rebuild(lambda cells: stripped(cells) or cells[2].update(source=broken))
    assert sources(cells)[2] == broken


def test_outputs_are_dropped(rebuild):
    output = {"output_type": "execute_result", "data": {"text/plain": "4.0"}, "execution_count": 1, "metadata": {}}
    assert all(not c.get("outputs") for c in rebuild(lambda cells: cells[3].update(outputs=[output])))


def test_every_cell_has_an_id_of_its_own(rebuild):
    twice = {"cell_type": "code", "id": "alpha-2", "source": "x = 1", "metadata": {}}
    cells = rebuild(lambda cells: cells.extend([dict(twice), dict(twice)]))
    assert len({cell.id for cell in cells}) == len(cells)


def test_own_text_is_quoted_so_that_nothing_in_it_is_live(release):
    own = rebuilt(release, [Found(code=False, source="<script>alert(1)</script>")]).cells[0]
    assert own.source == "```text\n<script>alert(1)</script>\n```"


def test_a_fence_in_own_text_does_not_end_the_quotation():
    assert quoted("a\n````\nb").startswith("`````text\n")


@pytest.mark.parametrize("text", ["one line", "a\n````\nb", "", "```text\nx\n```"])
def test_what_was_quoted_can_be_read_again(text):
    assert unquoted(quoted(text)) == text


WORDS = {"grade_id": "in_words", "schema_version": 3, "task": False, "grade": True, "locked": False, "solution": True,
         "points": 2, "checksum": "0" * 32}  # fmt: skip


@pytest.fixture
def asked(release):
    """The release with a question that is answered in words."""
    release.cells.append(new_markdown_cell("*Write here.*", id="in_words", metadata={"nbgrader": WORDS}))
    return release


def test_an_answer_in_words_is_the_students_and_quoted(asked, rebuild):
    cell = rebuild(lambda cells: cells[6].update(source="It is <b>bold</b>."))[6]
    assert (cell.source, cell.metadata) == ("```text\nIt is <b>bold</b>.\n```", asked.cells[6].metadata)


@pytest.mark.parametrize("source", ["*Write here.*", "", "  \n"])
def test_no_answer_in_words_leaves_the_release(asked, rebuild, source):
    assert rebuild(lambda cells: cells[6].update(source=source)) == asked.cells


def test_of_two_answers_in_words_the_last_counts_and_none_is_lost(asked, rebuild):
    cells = rebuild(lambda cells: cells.extend([dict(cells[6], source="first"), dict(cells[6], source="second")]))
    assert sources(cells)[6:] == [quoted("first"), quoted("second")]
    assert cells[7].metadata == asked.cells[6].metadata


def test_code_in_place_of_words_is_shown_and_still_counts_as_code(asked, rebuild):
    cells = rebuild(lambda cells: cells[6].update(source="def helper(): pass", cell_type="code"))
    assert [(c.cell_type, c.source) for c in cells[6:]] == [
        ("code", "def helper(): pass"), ("markdown", quoted("def helper(): pass")),
    ]  # fmt: skip


def test_other_text_of_the_release_stays_as_it_is(asked, rebuild):
    assert rebuild(lambda cells: cells[0].update(source="# Mine"))[0].source == "# Title"

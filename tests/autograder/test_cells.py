"""The one reader of notebooks: whatever the file holds, cells or a sentence come back."""

import json

import pytest

from autograder.reading import cells
from autograder.reading.cells import Found, Unreadable, read_cells

NO_NOTEBOOKS = ["", "not a notebook", '{"cells": [', "[]", "{}", '{"cells": 3}', '{"cells": null}', "[" * 100_000]


def read(notebook):
    data = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    return read_cells(data, "cam.ipynb")


@pytest.mark.parametrize("text", NO_NOTEBOOKS)
def test_a_file_that_is_no_notebook_is_told_in_one_sentence(text):
    with pytest.raises(Unreadable, match=r"^submission: cam\.ipynb is not a notebook \(.+\); save it again"):
        read(text.encode())


def test_cells_of_a_wrong_kind_are_passed_over():
    odd = [1, None, [], {}, {"source": 3}, {"cell_type": "code", "source": ["x", 1, "y"], "metadata": []},
           {"cell_type": "code", "id": 5, "source": "", "metadata": {"nbgrader": {"grade_id": [], "solution": 1}}},
           ]  # fmt: skip
    assert [cell.source for cell in read({"cells": odd})] == ["", "", "xy", ""]
    assert read({"cells": odd})[-1] == Found(code=True, source="")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_encodings_are_read(encoding):
    text = json.dumps({"cells": [{"cell_type": "code", "source": "α = 1\r\n"}]}, ensure_ascii=False)
    assert read(text.encode(encoding))[0].source == "α = 1\n"


def test_half_a_character_does_not_stop_the_code_from_being_written():
    assert read(b'{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}')[0].source == "x = '?'"


@pytest.mark.parametrize("number", ["9" * 10_000, "-" + "9" * 10_000, "1e999", "NaN", "-Infinity"])
def test_a_number_that_fits_nowhere_costs_no_cell(number):
    text = '{"cells": [{"cell_type": "code", "source": "x = 1", "execution_count": @}], "nbformat": @}'
    assert read(text.replace("@", number).encode())[0].source == "x = 1"


def test_worksheets_of_early_notebooks_are_read():
    cell = {"cell_type": "code", "input": "x = 1", "outputs": [], "language": "python", "metadata": {}}
    assert read({"nbformat": 3, "worksheets": [{"cells": [cell]}, {"cells": [cell]}]})[1].source == "x = 1"


@pytest.mark.parametrize(
    ("limit", "notebook", "sentence"),
    [
        ("LARGEST", {"cells": [], "x": "y" * 999}, r"cam\.ipynb has more than 0 MB; clear the outputs"),
        ("MOST_CELLS", {"cells": [{}] * 101}, r"cam\.ipynb has 101 cells, and 100 are read; remove those"),
        ("LARGEST_CODE", {"cells": [{"cell_type": "code", "source": "x" * 101}]}, r"has 101 characters of code"),
    ],
)  # fmt: skip
def test_what_is_too_large_is_told_in_one_sentence(monkeypatch, limit, notebook, sentence):
    monkeypatch.setattr(cells, limit, 100)
    with pytest.raises(Unreadable, match=sentence):
        read(notebook)

"""A small release copy: text, imports, one exercise, one question, as `nbgrader generate_assignment` leaves them."""

from __future__ import annotations

import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

STUB = 'def alpha(gradients):\n    """The mean."""\n    raise NotImplementedError("grad_cam.alpha is not written yet")'
ANSWER = 'which_sign = None  # "a" or "b"'


def _marked(source: str, grade_id: str, points: int | None = None):
    about = {"grade_id": grade_id, "schema_version": 3, "task": False, "checksum": "0" * 32,
             "grade": points is not None, "locked": points is not None, "solution": points is None}  # fmt: skip
    about |= {} if points is None else {"points": points}
    return new_code_cell(source, id=grade_id, metadata={"nbgrader": about})


@pytest.fixture
def release():
    return new_notebook(
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        cells=[
            new_markdown_cell("# Title", id="title"),
            new_code_cell("import torch", id="imports"),
            _marked(STUB, "alpha"),
            _marked('check("grad_cam.alpha", alpha)', "check_alpha", 4),
            _marked(ANSWER, "which_sign"),
            _marked('check("grad_cam.which_sign", which_sign)', "check_which_sign", 1),
        ],
    )


@pytest.fixture
def handed_in(release, tmp_path):
    """The file of a student who did nothing yet, and how to write it after a change."""

    def written(change=lambda cells: None, **other):
        notebook = json.loads(json.dumps(release)) | other
        change(notebook["cells"])
        path = tmp_path / "grad_cam.ipynb"
        path.write_text(json.dumps(notebook), encoding="utf-8")
        return path

    return written

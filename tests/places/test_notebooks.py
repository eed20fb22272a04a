"""Every notebook is one that JupyterLab, VS Code and Colab open without asking or repairing anything."""

import json
from pathlib import Path

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel

from autograder.course import registry

ROOT = Path(__file__).parents[2]
LANGUAGE = {key: value for key, value in IPythonKernel.language_info.items() if key != "version"}
"""What a kernel says of itself; the version would differ from machine to machine."""
each_lesson = pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)


@each_lesson
@pytest.mark.parametrize("folder", ["lessons", "solutions"])
def test_it_is_valid_names_the_usual_kernel_and_its_language(lesson, folder):
    text = (ROOT / folder / lesson.id / f"{lesson.name}.ipynb").read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata["kernelspec"] == {
        "display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"
    }  # fmt: skip
    assert notebook.metadata["language_info"] == LANGUAGE
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


@each_lesson
def test_a_students_notebook_brings_no_output_and_no_path_of_the_machine_where_it_was_made(lesson):
    text = (ROOT / "lessons" / lesson.id / f"{lesson.name}.ipynb").read_text(encoding="utf-8")
    code = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code if cell["outputs"] or cell["execution_count"]] == []
    assert "/home/" not in text
    assert "C:\\\\" not in text

import json
import os

import pytest

from autograder.nbgrader import submitted
from autograder.nbgrader.submitted import Unreadable, drop_links, read_cells, read_release

NO_NOTEBOOKS = ["", "not a notebook", '{"cells": [', "[]", "{}", '{"cells": 3}', '{"cells": null}', "[" * 100_000]


@pytest.mark.parametrize("text", NO_NOTEBOOKS)
def test_a_file_that_is_no_notebook_is_told_in_one_sentence(tmp_path, text):
    (tmp_path / "cam.ipynb").write_text(text)
    with pytest.raises(Unreadable, match=r"^submission: cam\.ipynb is not a notebook \(.+\); save it again"):
        read_cells(tmp_path / "cam.ipynb")


def test_cells_of_a_wrong_kind_are_passed_over(tmp_path):
    cells = [1, None, [], {}, {"source": 3}, {"cell_type": "code", "source": ["x", 1, "y"], "metadata": []},
             {"cell_type": "code", "id": 5, "source": "", "metadata": {"nbgrader": {"grade_id": []}}}]  # fmt: skip
    (tmp_path / "cam.ipynb").write_text(json.dumps({"cells": cells}))
    assert [cell.source for cell in read_cells(tmp_path / "cam.ipynb")] == ["", "", "xy", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_encodings_are_read(tmp_path, encoding):
    text = json.dumps({"cells": [{"cell_type": "code", "source": "α = 1\r\n"}]}, ensure_ascii=False)
    (tmp_path / "cam.ipynb").write_bytes(text.encode(encoding))
    assert read_cells(tmp_path / "cam.ipynb")[0].source == "α = 1\n"


def test_half_a_character_does_not_stop_the_file_from_being_written(tmp_path):
    (tmp_path / "cam.ipynb").write_text('{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\'"}]}')
    assert read_cells(tmp_path / "cam.ipynb")[0].source == "x = '?'"


def test_worksheets_of_early_notebooks_are_read(tmp_path):
    cell = {"cell_type": "code", "input": "x = 1", "outputs": [], "language": "python", "metadata": {}}
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [cell], "metadata": {}}]}
    (tmp_path / "cam.ipynb").write_text(json.dumps(old))
    assert read_cells(tmp_path / "cam.ipynb")[0].source == "x = 1"


def test_a_link_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "alice.ipynb").write_text('{"cells": []}')
    (tmp_path / "eve").mkdir()
    (tmp_path / "eve" / "cam.ipynb").symlink_to(tmp_path / "alice.ipynb")
    with pytest.raises(Unreadable, match=r"^submission: cam\.ipynb is no plain file of the submitted folder; hand in"):
        read_cells(tmp_path / "eve" / "cam.ipynb")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "cam.ipynb")
    with pytest.raises(Unreadable, match="is no plain file"):
        read_cells(tmp_path / "cam.ipynb")


def test_a_file_that_is_too_large_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(submitted, "LARGEST", 2_000_000)
    (tmp_path / "cam.ipynb").write_bytes(b" " * 2_000_001)
    with pytest.raises(Unreadable, match=r"^submission: cam\.ipynb has more than 2 MB; clear the outputs"):
        read_cells(tmp_path / "cam.ipynb")


def test_copies_of_links_are_removed_and_other_files_stay(tmp_path):
    for name in ("submitted", "copied"):
        (tmp_path / name / "sub").mkdir(parents=True)
    (tmp_path / "submitted" / "sub" / "leak.txt").symlink_to("/etc/hostname")
    (tmp_path / "submitted" / "gone.txt").symlink_to("nowhere")
    for name in ("sub/leak.txt", "photo.png"):
        (tmp_path / "copied" / name).write_text("x")
    drop_links(tmp_path / "submitted", tmp_path / "copied")
    assert [path.name for path in (tmp_path / "copied").rglob("*.*")] == ["photo.png"]


def test_a_missing_release_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not exist; run `nbgrader generate_assignment 10_cam` first\.$"):
        read_release(tmp_path / "10_cam" / "cam.ipynb")

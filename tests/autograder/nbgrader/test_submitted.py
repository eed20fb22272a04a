import os
from pathlib import Path

import pytest
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory

from autograder.cells import Unreadable
from autograder.nbgrader import submitted
from autograder.nbgrader.submitted import (
    SubmissionExporter,
    odd_names,
    read_release,
    refuse_linked_folders,
    take_modules_too,
)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_plain_file_or_too_large_is_not_copied(tmp_path, monkeypatch):
    monkeypatch.setattr(submitted, "LARGEST", 10)
    (tmp_path / "sub").mkdir()
    for name, size in {"photo.png": 10, "sub/large.png": 11}.items():
        (tmp_path / name).write_bytes(b"x" * size)
    for name, target in {"leak.txt": "/etc/hostname", "sub/[gone].txt": "nowhere", "zero": "/dev/zero"}.items():
        (tmp_path / name).symlink_to(target)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").symlink_to("/")
    assert odd_names(tmp_path) == ["[gone].txt", "large.png", "leak.txt", "pipe", "zero"]


def test_a_missing_release_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not exist; run `nbgrader generate_assignment 10_cam` first\.$"):
        read_release(tmp_path / "10_cam" / "cam.ipynb")


@pytest.mark.parametrize("linked", ["eve", "eve/10_cam"])
def test_a_folder_that_is_a_link_to_somebody_elses_work_is_refused(tmp_path, linked):
    (tmp_path / "ada" / "10_cam").mkdir(parents=True)
    (tmp_path / linked).parent.mkdir(exist_ok=True)
    (tmp_path / linked).symlink_to(tmp_path / "ada" / linked.partition("/")[2])
    refuse_linked_folders(tmp_path / "ada" / "10_cam" / "cam.ipynb")
    with pytest.raises(Unreadable, match=r"is a link; hand in the folder itself with its files\.$"):
        refuse_linked_folders(tmp_path / "eve" / "10_cam" / "cam.ipynb")


def test_a_student_with_the_module_alone_is_graded_too_and_one_with_both_once(tmp_path):
    for student, files in {"ada": ["grad_cam.py"], "bob": ["grad_cam.py", "grad_cam.ipynb"]}.items():
        (tmp_path / "submitted" / student / "11_grad_cam").mkdir(parents=True)
        for name in files:
            (tmp_path / "submitted" / student / "11_grad_cam" / name).write_text("x = 1")
    course = CourseDirectory(root=str(tmp_path), assignment_id="11_grad_cam")
    converter = Autograde(coursedir=course)
    converter.init_notebooks()
    take_modules_too(converter)
    found = {Path(folder).parts[-2]: [Path(f).name for f in files] for folder, files in converter.assignments.items()}
    assert found == {"ada": ["grad_cam.ipynb"], "bob": ["grad_cam.ipynb"]}


def test_what_lies_beside_a_notebook_is_kept_for_the_checks(release, tmp_path):
    (tmp_path / "grad_cam.py").write_text("x = 1")
    (tmp_path / "mine.py").symlink_to(tmp_path / "grad_cam.py")
    notebook = SubmissionExporter()._handed_in(tmp_path / "grad_cam.ipynb", release)
    assert notebook.metadata["cnnviz"] == {"beside": {"grad_cam.py": "x = 1"}}

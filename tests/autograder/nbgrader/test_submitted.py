from pathlib import Path

import pytest
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory

from autograder.nbgrader.folders import checked_text, only_the_lessons_work, refuse_linked_folders
from autograder.nbgrader.submitted import SubmissionExporter, read_release
from autograder.reading.cells import Unreadable


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
    only_the_lessons_work(converter)
    found = {Path(folder).parts[-2]: [Path(f).name for f in files] for folder, files in converter.assignments.items()}
    assert found == {"ada": ["grad_cam.ipynb"], "bob": ["grad_cam.ipynb"]}


def test_what_lies_beside_a_notebook_is_kept_for_the_checks(release, tmp_path):
    (tmp_path / "grad_cam.py").write_text("x = 1")
    (tmp_path / "mine.py").symlink_to(tmp_path / "grad_cam.py")
    notebook = SubmissionExporter()._handed_in(tmp_path / "grad_cam.ipynb", release)
    assert notebook.metadata["cnnviz"] == {"beside": {"grad_cam.py": "x = 1"}}


@pytest.mark.parametrize(
    "time", ["2026-01-01 10:00:00.123456 UTC", "2026-01-01 10:00:00 CEST", "2026-01-01 10:00:00 America/New_York\n",
             "2026-01-01T10:00:00+02:00", "2026-01-01 10:00:00 -0500"]
)  # fmt: skip
def test_a_time_as_nbgrader_writes_it_is_read(time):
    assert checked_text("timestamp.txt", time.encode()) == time


@pytest.mark.parametrize(
    "time", ["", "whenever", "2099-01-01 10:00:00 UTC", "2026-13-01 10:00:00 UTC", "9999-12-31 23:59:59 -2359",
             "2026-01-01 10:00:00 /etc/passwd", "2026-01-01 10:00:00 a/../b", "2026-01-01 10:00:00 UTC\nx"]
)  # fmt: skip
def test_another_time_is_none(time):
    with pytest.raises(Unreadable, match=r"timestamp\.txt is not as nbgrader writes it; submit the lesson again\.$"):
        checked_text("timestamp.txt", time.encode())


@pytest.mark.parametrize("secret", ["0f" * 64, "a-token_of-8", "0f" * 64 + "\n"])
def test_a_secret_is_taken_as_it_is_written(secret):
    assert checked_text("submission_secret.txt", secret.encode()) == secret


@pytest.mark.parametrize(
    "secret", [b"", b"short", b"../../etc/cron.d/x", b"\xff" * 64, b"a" * 257, b"a" * 20 + b"\n\n"]
)
def test_what_can_be_guessed_or_steers_a_path_is_no_secret(secret):
    with pytest.raises(Unreadable, match=r"submission_secret\.txt is not as nbgrader writes it"):
        checked_text("submission_secret.txt", secret)

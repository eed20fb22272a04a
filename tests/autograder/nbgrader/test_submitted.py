import os

import pytest

from autograder.cells import Unreadable
from autograder.nbgrader import submitted
from autograder.nbgrader.submitted import odd_names, read_release, refuse_linked_folders


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

import pytest

from autograder.nbgrader.submitted import drop_links, read_release


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

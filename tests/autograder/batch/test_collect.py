"""What is found in which layout, whose it is, which of several counts, and that nothing is dropped without a word."""

import json
import os
import unicodedata
import zipfile

import pytest

from autograder.batch import entries, student
from autograder.batch.collect import collect
from autograder.batch.stages import digest_of

CAM, GRAD_CAM, SALIENCY = "10_cam", "11_grad_cam", "08_saliency"
BEGUN = "def grad_cam(model, images, targets, layer):\n    return {}\n"
FIRST = BEGUN.format(1)


def notebook(code=FIRST):
    cell = {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": "grad_cam", "solution": True}}, "source": code}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def text_of(name, mark=1):
    return notebook(BEGUN.format(mark)) if name.endswith(".ipynb") else BEGUN.format(mark)


class Class:
    """A folder of submissions, and what is collected from it."""

    def __init__(self, folder):
        self.folder = folder
        self.told = []

    def put(self, place, content=None):
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        content = text_of(place.lower()) if content is None else content
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self

    def put_zip(self, place, members):
        path = self.folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zipped(members))
        return self

    def collect(self, *lessons, where=None):
        return collect(where or self.folder, lessons, told=self.told.append)

    def found(self, *lessons, where=None):
        return [
            (h.student, h.lesson, h.place if h.submission else "PROBLEM") for h in self.collect(*lessons, where=where)
        ]


def zipped(members):
    import io

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.fixture
def handed_in(tmp_path):
    return Class(tmp_path / "class_a")


LAYOUTS = {
    "alice/11_grad_cam/grad_cam.ipynb": "alice",
    "alice/11_grad_cam/grad_cam.py": "alice",
    "alice/grad_cam/grad_cam.py": "alice",
    "alice/grad_cam.ipynb": "alice",
    "alice/11_grad_cam.ipynb": "alice",
    "alice/Week 3/Grad-CAM (2).IPYNB": "alice",
    "alice/a/b/grad_cam.py": "alice",
    "Alice Smith_123_assignsubmission_file_/grad_cam.ipynb": "Alice Smith_123",
    "Alice Smith_123_assignsubmission_file/grad_cam.ipynb": "Alice Smith_123",
    "Alice Smith_123_assignsubmission_file_grad_cam.py": "Alice Smith_123",
    "smithalice_123_456_grad_cam.ipynb": "smithalice_123",
    "smithalice_LATE_123_456_grad_cam-1.py": "smithalice_123",
    "alice_grad_cam.py": "alice",
    "alice_11_grad_cam.py": "alice",
    "alice-smith_grad_cam-2.ipynb": "alice-smith",
    "11_grad_cam/alice_grad_cam.py": "alice",
    "11_grad_cam/alice.py": "alice",
    "11_grad_cam/alice/grad_cam.py": "alice",
    "cam/11_grad_cam/grad_cam.py": "cam",
}


@pytest.mark.parametrize("lessons", [(), (GRAD_CAM,)])
@pytest.mark.parametrize(("place", "name"), LAYOUTS.items())
def test_a_place_says_whose_work_it_is_and_for_which_lesson(handed_in, place, name, lessons):
    assert handed_in.put(place).found(*lessons) == [(name, GRAD_CAM, place)]
    assert [t for t in handed_in.told if "counts" not in t] == []


@pytest.mark.parametrize(("place", "name"), LAYOUTS.items())
@pytest.mark.parametrize("wrapper", ["", "submissions/", "class/"])
def test_a_zip_of_any_layout_is_read_like_the_folder(handed_in, tmp_path, place, name, wrapper):
    (tmp_path / "class.zip").write_bytes(zipped({wrapper + place: text_of(place.lower())}))
    assert handed_in.found(where=tmp_path / "class.zip") == [(name, GRAD_CAM, wrapper + place)]


@pytest.mark.parametrize(
    ("place", "name"),
    [("alice.zip", "alice"), ("alice_grad_cam.zip", "alice"), ("smithalice_1_2_work.zip", "smithalice_1"),
     ("alice/all.zip", "alice"), ("alice/11_grad_cam/x.zip", "alice"), ("A B_7_assignsubmission_file_/x.zip", "A B_7")],
)  # fmt: skip
@pytest.mark.parametrize("inner", ["grad_cam.ipynb", "my work/grad_cam.ipynb", "alice/11_grad_cam/grad_cam.ipynb"])
def test_a_zip_in_the_place_of_a_file_is_one_students(handed_in, tmp_path, place, name, inner):
    members = {inner: notebook(), "__MACOSX/._grad_cam.ipynb": b"\0", ".DS_Store": b"\0"}
    handed_in.put_zip(place, members)
    assert handed_in.found() == [(name, GRAD_CAM, f"{place}/{inner}")]
    (tmp_path / "class.zip").write_bytes(zipped({place: zipped(members)}))
    assert [(s, lesson) for s, lesson, _ in handed_in.found(where=tmp_path / "class.zip")] == [(name, GRAD_CAM)]


def test_a_zip_in_a_zip_in_a_zip_is_refused_and_nobody_else_suffers(handed_in, tmp_path):
    matryoshka = zipped({"inner.zip": zipped({"grad_cam.py": BEGUN})})
    (tmp_path / "class.zip").write_bytes(zipped({"eve.zip": matryoshka, "bob/grad_cam.py": BEGUN}))
    bob, eve = handed_in.collect(where=tmp_path / "class.zip")
    assert bob.submission
    assert eve.problem == "submission: eve.zip/inner.zip lies in an archive in an archive; unpack it before handing in."


def test_the_longest_lesson_that_a_name_ends_with_counts(handed_in):
    handed_in.put("alice_guided_grad_cam.py").put("bob_grad_cam.py").put("eve_cam.py")
    found = [("eve", CAM, "eve_cam.py"), ("bob", GRAD_CAM, "bob_grad_cam.py")]
    assert handed_in.found() == [*found, ("alice", "12_guided_grad_cam", "alice_guided_grad_cam.py")]
    assert handed_in.found(GRAD_CAM) == [found[1]]


def test_with_one_lesson_a_file_needs_the_students_name_only(handed_in):
    handed_in.put("alice.ipynb").put("Ödön (1).py")
    assert handed_in.found(GRAD_CAM) == [("alice", GRAD_CAM, "alice.ipynb"), ("Ödön (1)", GRAD_CAM, "Ödön (1).py")]


def test_with_no_lesson_named_anywhere_one_has_to_be_asked_for(handed_in):
    with pytest.raises(
        ValueError, match=r"no file in .*class_a is named after a lesson; name the lesson, or the files"
    ):
        handed_in.put("alice.ipynb", notebook("x = 1").replace("grad_cam", "")).collect()


def test_the_only_file_counts_whatever_its_name_and_this_is_told(handed_in):
    nothing = notebook("x = 1").replace("grad_cam", "")
    assert handed_in.put("alice/11_grad_cam/homework.ipynb", nothing).found() == [
        ("alice", GRAD_CAM, "alice/11_grad_cam/homework.ipynb")
    ]
    assert handed_in.told[0] == (
        "alice, 11_grad_cam: alice/11_grad_cam/homework.ipynb counts, as the only .ipynb that can be meant."
    )


def test_of_two_files_that_may_be_meant_none_is_guessed(handed_in):
    handed_in.put("alice/11_grad_cam/a.ipynb").put("alice/11_grad_cam/b.ipynb")
    assert [h.problem for h in handed_in.collect()] == [
        "submission: there is no grad_cam.py or grad_cam.ipynb among alice/11_grad_cam/a.ipynb, "
        "alice/11_grad_cam/b.ipynb; rename the file that is meant."
    ]


def test_a_file_named_after_another_lesson_than_its_folder_counts_for_neither(handed_in):
    (handed,) = handed_in.put("alice/11_grad_cam/saliency.py").collect()
    assert handed.lesson == GRAD_CAM
    assert "there is no grad_cam.py or grad_cam.ipynb among alice/11_grad_cam/saliency.py" in handed.problem
    assert "left out, named after no lesson: alice/11_grad_cam/saliency.py" in " ".join(handed_in.told)


def test_of_resubmissions_the_latest_counts_and_this_is_told(handed_in):
    for number, suffix in enumerate(["", "-1", "-10", "-2"]):
        handed_in.put(f"smithalice_1_{90 - number}_grad_cam{suffix}.py")
    assert handed_in.found() == [("smithalice_1", GRAD_CAM, "smithalice_1_88_grad_cam-10.py")]
    assert handed_in.told == ["smithalice_1, 11_grad_cam: of 4 files smithalice_1_88_grad_cam-10.py counts."]


def test_of_equal_names_the_later_file_of_the_lms_counts(handed_in):
    handed_in.put("smithalice_1_100_grad_cam.py").put("smithalice_LATE_1_99_grad_cam.py")
    assert handed_in.found() == [("smithalice_1", GRAD_CAM, "smithalice_1_100_grad_cam.py")]


def test_what_nbgrader_grades_counts_before_a_copy(handed_in):
    for place in ("grad_cam (1).ipynb", "11_grad_cam/old/grad_cam.ipynb", "11_grad_cam/grad_cam.ipynb"):
        handed_in.put(f"alice/{place}").put("alice/11_grad_cam/grad_cam (7).ipynb")
    assert handed_in.found() == [("alice", GRAD_CAM, "alice/11_grad_cam/grad_cam.ipynb")]


def test_a_resubmission_that_cannot_be_read_gives_way_to_the_one_before(handed_in):
    handed_in.put("smithalice_1_2_grad_cam.py").put("smithalice_1_3_grad_cam-1.py", b"\xff\xfe\xfa")
    (handed,) = handed_in.collect()
    assert handed.place == "smithalice_1_2_grad_cam.py"
    assert any("is not UTF-8 text (byte 0); save it again as UTF-8. Another file counts." in t for t in handed_in.told)


def test_an_untouched_file_does_not_hide_one_that_cannot_be_read(handed_in):
    handed_in.put("alice/grad_cam.py", b"\xff\xfe\xfa").put("alice/grad_cam.ipynb", notebook("x = 1"))
    (handed,) = handed_in.collect()
    assert handed.submission is None
    assert handed.problem == "submission: grad_cam.py is not UTF-8 text (byte 0); save it again as UTF-8."


def test_module_and_notebook_are_taken_together_unless_nothing_in_one_was_begun(handed_in):
    stub = "def grad_cam():\n    raise NotImplementedError\n"
    handed_in.put("a/grad_cam.py").put("a/grad_cam.ipynb").put("b/grad_cam.py", stub).put("b/grad_cam.ipynb")
    assert [place for _, _, place in handed_in.found()] == ["a/grad_cam.py and a/grad_cam.ipynb", "b/grad_cam.ipynb"]
    assert handed_in.told == []


def test_lessons_and_students_come_sorted_whatever_the_files_order(handed_in):
    for place in ("zoe/saliency.py", "adam/grad_cam.py", "zoe/grad_cam.py", "Bea/grad_cam.py"):
        handed_in.put(place)
    assert [(lesson, name) for name, lesson, _ in handed_in.found()] == [
        (SALIENCY, "zoe"), (GRAD_CAM, "Bea"), (GRAD_CAM, "adam"), (GRAD_CAM, "zoe")
    ]  # fmt: skip


def test_a_lesson_that_somebody_did_not_hand_in_is_no_problem_where_several_were(handed_in):
    handed_in.put("alice/saliency.py").put("alice/grad_cam.py").put("bob/grad_cam.py")
    assert ("bob", SALIENCY) not in [(name, lesson) for name, lesson, _ in handed_in.found()]


def test_an_empty_folder_is_a_problem_of_every_lesson(handed_in):
    handed_in.put("alice/saliency.py").put("alice/grad_cam.py")
    (handed_in.folder / "bob").mkdir()
    problems = [h for h in handed_in.collect() if h.submission is None]
    assert [(h.student, h.lesson) for h in problems] == [("bob", SALIENCY), ("bob", GRAD_CAM)]
    assert [h.problem for h in problems] == [
        f"submission: there is no {name}.py or {name}.ipynb and no other file; hand it in."
        for name in ("saliency", "grad_cam")
    ]


def test_an_empty_folder_of_a_lesson_is_that_lessons_problem(handed_in):
    handed_in.put("bob/saliency.py").put("alice/11_grad_cam/answers.pdf")
    (handed_in.folder / "bob" / GRAD_CAM).mkdir()
    problems = {(h.student, h.lesson): h.problem for h in handed_in.collect() if h.submission is None}
    assert set(problems) == {("alice", GRAD_CAM), ("bob", GRAD_CAM)}
    assert "alice/11_grad_cam/answers.pdf is a PDF document; hand in one of the two." in problems["alice", GRAD_CAM]


def test_files_of_nobody_and_files_of_no_lesson_are_told(handed_in):
    for place in ("grad_cam.py", "readme.txt", "alice/grad_cam.py", "alice/utils.py", "alice/picture.png"):
        handed_in.put(place)
    assert handed_in.found() == [("alice", GRAD_CAM, "alice/grad_cam.py")]
    assert sorted(handed_in.told) == [
        "alice: left out, named after no lesson: alice/utils.py.",
        "grad_cam.py: left out, as nothing in its name or place says whose it is.",
        "readme.txt: left out; work is a .py, an .ipynb or a .zip.",
    ]


def test_without_a_listener_what_is_left_out_is_a_warning_in_the_log(handed_in, caplog):
    collect(handed_in.put("alice/grad_cam.py").put("alice/utils.py").folder)
    assert "left out, named after no lesson: alice/utils.py" in caplog.text


@pytest.mark.parametrize("place", [".ipynb_checkpoints/grad_cam.ipynb", "__MACOSX/grad_cam.py", "test_grad_cam.py"])
def test_copies_and_tests_are_passed_over(handed_in, place):
    handed_in.put(f"alice/{place}").put("alice/grad_cam.py")
    assert handed_in.found() == [("alice", GRAD_CAM, "alice/grad_cam.py")]
    assert handed_in.told == []


def test_a_library_that_was_handed_in_too_is_not_taken_for_a_lesson(handed_in):
    handed_in.put("alice/grad_cam.py").put("alice/venv/lib/python3/jinja2/filters.py")
    assert handed_in.found() == [("alice", GRAD_CAM, "alice/grad_cam.py")]


def test_two_spellings_of_one_name_in_one_folder_are_told_apart_and_both_are_graded(handed_in):
    for form, lesson in (("NFC", "saliency"), ("NFD", "grad_cam")):
        handed_in.put(f"{unicodedata.normalize(form, 'Zoë')}/{lesson}.py")
    assert {name for name, _, _ in handed_in.found()} == {"Zoë (Zo\\xeb)", "Zoë (Zoe\\u0308)"}
    assert handed_in.told[0].startswith("The name Zoë is there in 2 ways; each is graded by itself: ")


def test_one_spelling_that_is_not_the_usual_one_is_the_same_name(handed_in):
    handed_in.put(f"{unicodedata.normalize('NFD', 'Zoë')}/grad_cam.py")
    assert {name for name, _, _ in handed_in.found()} == {unicodedata.normalize("NFC", "Zoë")}


def test_a_name_that_is_no_text_still_has_a_student(handed_in):
    os.makedirs(os.fsencode(handed_in.folder) + b"/caf\xe9")
    with open(os.fsencode(handed_in.folder) + b"/caf\xe9/grad_cam.py", "w") as file:
        file.write(BEGUN)
    (handed,) = handed_in.collect()
    assert handed.student == "caf\\udce9"
    assert handed.student.encode()


@pytest.mark.parametrize("odd", ["\x1b[31m", "\t", "\n", "\u202e"])
def test_names_that_a_terminal_obeys_are_kept_as_names_and_not_shown_live(handed_in, odd):
    for name in ("homework.py", "saliency.py", "grad_cam.py"):
        handed_in.put(f"eve{odd}/{name}")
    (handed_in.folder / f"mallory{odd}").mkdir()
    handed = handed_in.collect()
    assert {one.student for one in handed} == {f"eve{odd}", f"mallory{odd}"}
    assert handed_in.told
    assert all(sentence.isprintable() for sentence in [*handed_in.told, *(one.problem for one in handed)])


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("kind", ["link", "link of a folder", "pipe", "folder"])
def test_what_is_no_plain_file_is_never_opened(handed_in, kind):
    handed_in.put("bob/grad_cam.py").put("eve/x.txt")
    path = handed_in.folder / "eve" / "grad_cam.py"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(handed_in.folder / "bob" / "grad_cam.py")
    else:
        (handed_in.folder / "eve" / GRAD_CAM).symlink_to(handed_in.folder / "bob")
    bob, eve = handed_in.collect()
    assert (bob.submission is None, eve.submission is None) == (False, True)
    if kind != "folder":
        assert "is no plain file of the submitted folder; hand in the file itself." in eve.problem


def test_a_students_folder_that_is_a_link_is_a_problem_of_that_student(handed_in):
    handed_in.put("bob/grad_cam.py")
    (handed_in.folder / "eve").symlink_to(handed_in.folder / "bob")
    assert handed_in.found() == [("bob", GRAD_CAM, "bob/grad_cam.py"), ("eve", GRAD_CAM, "PROBLEM")]


def test_a_file_that_is_too_large_is_a_problem_and_not_read_whole(handed_in, monkeypatch):
    monkeypatch.setattr(student, "LARGEST", 1_000_000)
    (handed,) = handed_in.put("alice/grad_cam.py", b"#" * 1_000_001).collect()
    assert handed.problem == (
        "submission: alice/grad_cam.py has more than 1 MB; clear the outputs and hand it in again."
    )


@pytest.mark.parametrize("place", ["eve/11_grad_cam", "eve/11_grad_cam/a/b", "eve/data"])
def test_a_student_with_endless_files_is_no_problem_of_anybody_else(handed_in, monkeypatch, place):
    monkeypatch.setattr(entries, "MOST_INNER", 20)
    for number in range(30):
        handed_in.put(f"{place}/{number}.txt")
    for name in ("alice", "zoe"):
        handed_in.put(f"{name}/grad_cam.py")
    alice, eve, zoe = handed_in.collect()
    assert (alice.student, eve.student, zoe.student) == ("alice", "eve", "zoe")
    assert alice.submission
    assert zoe.submission
    assert eve.submission is None
    assert any(f"submission: {place[:15].rstrip('/')} holds more than 20 files; hand in fewer." in sentence
               for sentence in [eve.problem, *handed_in.told])  # fmt: skip


def test_a_renamed_file_has_the_same_digest_and_another_text_another(handed_in):
    handed_in.put("a/grad_cam.py").put("b.zip", zipped({"x/Grad-CAM (1).py": text_of("")}))
    handed_in.put("c/grad_cam.py", text_of("", 2))
    a, b, c = (h.digest for h in handed_in.collect())
    assert a == b != c


def test_a_digest_is_of_the_code_and_of_the_bytes_where_there_is_no_code(handed_in):
    import hashlib

    handed_in.put("a/grad_cam.py").put("b/grad_cam.ipynb", "{")
    good, bad = handed_in.collect()
    assert good.digest == digest_of(good.submission)
    assert bad.digest == hashlib.sha256(b"{").hexdigest()


def test_a_notebook_is_rebuilt_from_the_release_copy(handed_in, monkeypatch):
    (handed,) = handed_in.put("alice/grad_cam.ipynb").collect()
    grade_ids = [source.grade_id for source in handed.submission.sources if source.grade_id]
    assert grade_ids[:2] == ["capture", "neuron_importance"]
    assert any(source.text == BEGUN.format(1) for source in handed.submission.sources)


def test_a_notebook_that_is_called_a_module_is_read_as_the_notebook_that_it_is(handed_in):
    named_py, named_ipynb = handed_in.put("a/grad_cam.py", notebook()).put("b/grad_cam.ipynb").collect()
    assert named_py.digest == named_ipynb.digest


def test_without_a_release_copy_the_notebook_is_read_as_it_is(handed_in, monkeypatch):
    monkeypatch.setattr("autograder.batch.collect.release_copy", lambda lesson, submitted: None)
    (handed,) = handed_in.put("alice/grad_cam.ipynb").collect()
    assert [source.text for source in handed.submission.sources] == [BEGUN.format(1)]


def test_a_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist; name a folder or a zip\.$"):
        collect(tmp_path / "nowhere")


def test_an_empty_folder_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"holds no work of any student; name the folder of their folders or files\.$"):
        collect(tmp_path)


def test_a_file_that_is_no_zip_is_one_sentence(tmp_path):
    (tmp_path / "class.zip").write_text("x")
    with pytest.raises(ValueError, match=r"class\.zip is not a whole zip archive \(.*\); pack it again\.$"):
        collect(tmp_path / "class.zip")


def test_an_unknown_lesson_is_one_sentence(tmp_path):
    with pytest.raises(
        ValueError, match=r'lesson: got "11_grad_cm", which does not exist; did you mean "11_grad_cam"\?'
    ):
        collect(tmp_path, ["11_grad_cm"])

"""One student's files and names change nothing of how another's are read; the neighbours' work is whole."""

import io
import unicodedata
import zipfile
from pathlib import Path

import pytest

from autograder.batch import collect as collecting
from autograder.batch.collect import collect
from autograder.exports.late import late

ROOT = Path(__file__).parents[2]
LESSON = "11_grad_cam"
SOLVED = (ROOT / "solutions" / LESSON / "grad_cam.py").read_text(encoding="utf-8")
OTHER = "def grad_cam(model, images, targets, layer):\n    return 'of somebody else'\n"
HONEST = ("alice", "bob", "zoe")


def put(folder, *places, text=SOLVED):
    for place in places:
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def zipped(*names, text=OTHER):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, text)
    return file.getvalue()


def read(folder, *lessons):
    """Student and lesson -> what was handed in; sentences."""
    told = []
    return {(one.student, one.lesson): one for one in collect(folder, lessons, told=told.append)}, told


MALLORY = {
    "another lesson's file": {"mallory/deeplift.py": OTHER, "mallory/occlusion.py": OTHER},
    "a folder of every lesson": {f"mallory/{n}/x.txt": "" for n in ("10_cam", "13_deeplift", "08_saliency")},
    "a folder called submitted": {"mallory/submitted/alice/grad_cam.py": OTHER},
    "names of others in a zip": {"mallory/work.zip": zipped("alice/grad_cam.py", "bob/11_grad_cam/grad_cam.py")},
    "a platform's names in a zip": {
        "mallory/work.zip": zipped(
            "alice_1_2_grad_cam.py", "bob_LATE_1_2_grad_cam.py", "zoe_1_assignsubmission_file_/grad_cam.py"
        )
    },
    "a platform's names in a folder": {"mallory/alice_1_assignsubmission_file_/grad_cam.py": OTHER},
    "an archive with a manifest": {"mallory/results/course.json": "{}", "mallory/manifest.json": "{}"},
    "a file called like a student": {"mallory/alice.py": OTHER, "mallory/bob.ipynb": "{}"},
}  # fmt: skip


@pytest.mark.parametrize("named", ["grad_cam.py", "work.py", "11_grad_cam/grad_cam.py"])
@pytest.mark.parametrize("attack", MALLORY)
def test_whatever_one_student_hands_in_the_others_are_read_as_without_it(tmp_path, attack, named):
    put(tmp_path, *(f"{name}/grad_cam.py" for name in HONEST[:2]), f"zoe/{named}")
    alone, _ = read(tmp_path)
    for place, text in MALLORY[attack].items():
        put(tmp_path, place, text=text)
    found, _ = read(tmp_path)
    assert alone.keys() == {(name, LESSON) for name in HONEST}
    assert {key: one for key, one in found.items() if key[0] in HONEST} == alone
    assert {key[0] for key in found} - {*HONEST} <= {"mallory"}


def test_what_a_class_is_about_is_said_where_somebody_has_other_work(tmp_path):
    put(tmp_path, *(f"{name}/grad_cam.py" for name in HONEST))
    put(tmp_path, "mallory/deeplift.py", text="def linear_rule(x):\n    return x\n")
    found, told = read(tmp_path)
    assert ("mallory", "13_deeplift") in found
    assert told == [
        "This class is about 11_grad_cam, the work of 3 of 4 students. Work on 13_deeplift (1) counts for those who "
        "handed it in; --lessons says otherwise."
    ]


def test_one_file_of_another_lesson_would_have_lost_everybodys_unnamed_work(tmp_path, monkeypatch):
    """What the majority is for: as it was once, any second lesson that anybody named took this work away."""
    put(tmp_path, "alice/grad_cam.py", "bob/grad_cam.py", "mallory/deeplift.py")
    put(tmp_path, "zoe/homework.py", text="def my_own_name(x):\n    return x\n")
    assert read(tmp_path)[0]["zoe", LESSON].submission
    about = collecting._class_of

    def as_before(named, asked):
        found = about(named, asked)
        return collecting._Class(found.lessons, found.lessons, found.lessons[0] if len(found.lessons) == 1 else None)

    monkeypatch.setattr(collecting, "_class_of", as_before)
    assert not read(tmp_path)[0]["zoe", LESSON].submission


def test_a_minority_does_not_say_what_files_of_no_lesson_are_for(tmp_path):
    put(tmp_path, "alice/mine.py", "bob/homework.py", "zoe/work.py", text="def my_own_name(x):\n    return x\n")
    put(tmp_path, "mallory/deeplift.py")
    found, _ = read(tmp_path)
    assert not any(one.submission for (student, _), one in found.items() if student != "mallory")
    assert all(read(tmp_path, LESSON)[0][name, LESSON].submission for name in HONEST)


SAME = {
    "a form of Unicode": ("Zoë", unicodedata.normalize("NFD", "Zoë")),
    "a form of Unicode with a platform": tuple(
        f"{unicodedata.normalize(form, 'Zoë')}_7_assignsubmission_file_" for form in ("NFC", "NFD")
    ),
    "what a platform's name is cut to": ("zoe_7", "zoe_7_assignsubmission_file_"),
    "an attempt of nbgrader's": ("zoe", "zoe+11_grad_cam+2026-11-01 10:00:00 UTC"),
}


@pytest.mark.parametrize("way", SAME)
def test_two_places_that_become_one_name_are_two_students_and_both_are_told(tmp_path, way):
    first, second = SAME[way]
    put(tmp_path, f"{first}/grad_cam.py", "alice/grad_cam.py")
    put(tmp_path, f"{second}/grad_cam.py", text=OTHER)
    found, told = read(tmp_path)
    assert sorted(one.submission.sources[0].text for one in found.values()) == sorted([SOLVED, SOLVED, OTHER])
    names = [student for student, _ in found if student != "alice"]
    assert len(names) == 2
    assert any(all(name in sentence for name in names) for sentence in told)


@pytest.mark.parametrize("other", ["Zoe", "zoe ", "zoе", "zoe.", "ｚoe", "zo\u200be"])
def test_names_that_look_the_same_are_both_graded_and_both_told(tmp_path, other):
    put(tmp_path, "zoe/grad_cam.py")
    put(tmp_path, f"{other}/grad_cam.py", text=OTHER)
    found, told = read(tmp_path)
    assert {student: one.submission.sources[0].text for (student, _), one in found.items()} == {
        "zoe": SOLVED, unicodedata.normalize("NFC", other): OTHER,
    }  # fmt: skip
    assert [sentence for sentence in told if "look the same" in sentence and ascii(other)[1:-1] in sentence]


def test_a_students_own_name_for_a_file_is_no_other_students_place(tmp_path):
    """What stands after a platform's part of a name is the student's, whatever it looks like."""
    put(tmp_path, "Grad-CAM_mallory_attempt_2026-11-01-10-00-00_zoe_7_assignsubmission_file_grad_cam.py", text=OTHER)
    put(tmp_path, "12-34 - Mallory - Nov 1, 2026 1000 AM - zoe_7_assignsubmission_file_grad_cam.py", text=OTHER)
    put(tmp_path, "mallory_5_6_zoe_7_8_grad_cam.py", text=OTHER)
    assert {student for student, _ in read(tmp_path)[0]} == {"mallory", "Mallory_12", "mallory_5"}


def test_who_was_late_is_read_in_the_platforms_own_names_alone(tmp_path):
    put(tmp_path, "zoe_LATE_7_8_grad_cam.py", "alice_5_6_grad_cam.py", "11_grad_cam/bob_LATE_1_2_grad_cam.py")
    put(tmp_path, "mallory/alice_LATE_5_6_grad_cam.py", "mallory/11_grad_cam/alice_LATE_5_6_grad_cam.py")
    put(tmp_path, "mallory_5_9_alice_LATE_5_6_grad_cam.py")
    assert late(tmp_path).days == {"zoe_7": {LESSON: 1}, "bob_1": {LESSON: 1}}


def test_a_student_with_endless_files_stays_alone_with_that(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "MOST_OF_ONE", 20)
    put(tmp_path, *(f"{name}/grad_cam.py" for name in HONEST), *(f"mallory/grad_cam {n}.py" for n in range(30)))
    found, _ = read(tmp_path)
    assert {student: bool(one.submission) for (student, _), one in found.items()} == {
        **dict.fromkeys(HONEST, True), "mallory": False,
    }  # fmt: skip

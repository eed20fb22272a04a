"""Attempts, copies and files that are no work, as platforms and people name them: nobody vanishes, nobody is two."""

import io
import tarfile

import pytest

from autograder.batch.naming import named

from .test_collect import BEGUN, CAM, FIRST, GRAD_CAM, SALIENCY, Class, notebook, zipped

STUB = "def grad_cam(model, images, targets, layer):\n    raise NotImplementedError\n"
ATTEMPTS = {
    "Blackboard": (
        ["Grad-CAM_alice_attempt_2026-11-01-10-00-00_{}", "Grad-CAM_alice_attempt_2026-11-02-09-00-00_{}"],
        "alice",
    ),
    "Blackboard, another column": (
        ["Week 11_jane_doe_attempt_2026-11-01-10-00-00_{}", "Week 11_jane_doe_attempt_2026-11-10-09-00-00_{}"],
        "jane_doe",
    ),
    "Brightspace": (
        ["12345-67890 - Jane Doe - Nov 9, 2026 1000 AM/{}", "12345-67890 - Jane Doe - Nov 10, 2026 900 AM/{}"],
        "Jane Doe_12345",
    ),
    "Brightspace, afternoon": (
        ["12345-67891 - Jane Doe - Nov 1, 2026 1100 AM/{}", "12345-67890 - Jane Doe - Nov 1, 2026 110 PM/{}"],
        "Jane Doe_12345",
    ),
    "nbgrader": (
        ["alice+11_grad_cam+2026-11-01 10:00:00 UTC/{}", "alice+11_grad_cam+2026-11-01 10:00:00.5 UTC+x7/{}"],
        "alice",
    ),
    "Canvas": (["smithalice_LATE_1_90_{}", "smithalice_1_91_{}"], "smithalice_1"),
    "Canvas, resubmitted": (["smithalice_1_91_{}", "smithalice_LATE_1_90_{1}"], "smithalice_1"),
    "Moodle": (
        ["Al Li_7_assignsubmission_file_/{}", "Al Li_7_assignsubmission_file_/11_grad_cam/{}"],
        "Al Li_7",
    ),
    "Moodle, files": (["Al Li_7_assignsubmission_file_{}", "Al Li_7_assignsubmission_file_{1}"], "Al Li_7"),
}
COPIES = [
    "Copy of grad_cam.ipynb", "grad_cam-Copy1.ipynb", "grad_cam - Copy.ipynb", "grad_cam - Copy (2).ipynb",
    "grad_cam copy 2.ipynb", "Kopie von grad_cam.ipynb", "Copia de grad_cam.ipynb", "Cópia de Grad-CAM.ipynb",
    "grad_cam (1) (2).ipynb", "grad_cam_final.ipynb", "grad_cam_final_v2.py", "my_grad_cam.ipynb", "grad_cam2.py",
    "11 - Grad-CAM.ipynb", "11. Grad CAM.ipynb", "GradCAM.ipynb", "Copy of 11_grad_cam.py", "grad_cam_alice.py",
    "alice - Grad-CAM.ipynb", "week 11 grad_cam solved.ipynb", "hw3_grad_cam.py", "grad_cam のコピー.ipynb",
    "grad_cam my own words.ipynb", "module of grad_cam as asked.py",
]  # fmt: skip


@pytest.fixture
def handed_in(tmp_path):
    return Class(tmp_path / "class_a")


def places(forms, name="grad_cam.ipynb"):
    head, dot, tail = name.rpartition(".")
    return [form.format(name, f"{head}-1{dot}{tail}") for form in forms]


@pytest.mark.parametrize("form", ATTEMPTS)
def test_of_two_attempts_of_one_student_the_latest_counts_and_this_is_told(handed_in, form):
    forms, name = ATTEMPTS[form]
    first, last = places(forms)
    handed_in.put(first).put(last).put("bob/saliency.py")
    assert handed_in.found() == [("bob", SALIENCY, "bob/saliency.py"), (name, GRAD_CAM, last)]
    assert [t for t in handed_in.told if f"of 2 attempts {last} counts." in t or f"of 2 files {last} counts." in t]


@pytest.mark.parametrize("form", ATTEMPTS)
def test_an_attempt_that_cannot_be_read_gives_way_to_the_one_before_and_this_is_told(handed_in, form):
    forms, name = ATTEMPTS[form]
    first, last = places(forms)
    handed_in.put(first).put(last, "{").put("bob/saliency.py")
    assert handed_in.found() == [("bob", SALIENCY, "bob/saliency.py"), (name, GRAD_CAM, first)]
    assert [t for t in handed_in.told if "Another file counts." in t]


def test_a_later_notebook_counts_before_an_earlier_module_whatever_it_is_called(handed_in):
    first, last = (form.format("") for form in ATTEMPTS["Blackboard"][0])
    handed_in.put(f"{first}grad_cam.py").put(f"{last}homework.ipynb")
    assert handed_in.found() == [("alice", GRAD_CAM, f"{last}homework.ipynb")]


def test_a_later_archive_that_cannot_be_opened_gives_way_to_the_attempt_before(handed_in):
    first, last = (form.format("") for form in ATTEMPTS["Blackboard"][0])
    handed_in.put(f"{first}grad_cam.py").put(f"{last}work.zip", "no zip").put("bob/saliency.py")
    assert handed_in.found()[1] == ("alice", GRAD_CAM, f"{first}grad_cam.py")
    assert f"alice, 11_grad_cam: {first}grad_cam.py counts instead." in handed_in.told
    assert any(f"{last}work.zip is not a whole zip archive" in told for told in handed_in.told)


def test_blackboards_note_beside_an_attempt_is_nobodys_work_and_nobody_else(handed_in):
    first = ATTEMPTS["Blackboard"][0][0].format("")
    handed_in.put(f"{first}grad_cam.ipynb").put(f"{first[:-1]}.txt").put("bob/saliency.py")
    assert [student for student, _, _ in handed_in.found()] == ["bob", "alice"]
    assert handed_in.told == []


def test_whoever_handed_in_no_more_than_blackboards_note_is_in_the_table(handed_in):
    handed_in.put("Grad-CAM_eve_attempt_2026-11-01-10-00-00.txt").put("bob/saliency.py")
    (eve,) = [one for one in handed_in.collect() if one.student == "eve"]
    assert "eve_attempt_2026-11-01-10-00-00.txt is a text file; hand in one of the two." in eve.problem


def test_two_students_whose_names_end_alike_stay_two(handed_in):
    for name in ("jane_doe", "john_doe"):
        handed_in.put(f"Week 3_{name}_attempt_2026-11-01-10-00-00_grad_cam.py")
    for number in (1, 2):
        handed_in.put(f"{number}-67890 - Jane Doe - Nov 1, 2026 1000 AM/grad_cam.py")
    assert [student for student, _, _ in handed_in.found()] == ["Jane Doe_1", "Jane Doe_2", "jane_doe", "john_doe"]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [("Nov 9, 2026 1000 AM", "Nov 10, 2026 900 AM"), ("Dec 31, 2026 1159 PM", "Jan 1, 2027 1201 AM"),
     ("Nov 1, 2026 1200 AM", "Nov 1, 2026 100 AM"), ("Nov 1, 2026 1259 AM", "Nov 1, 2026 1230 PM"),
     ("November 2, 2026 11:59 AM", "November 2, 2026 12:00 PM"), ("2 November, 2026 0930", "2 November, 2026 1430")],
)  # fmt: skip
def test_brightspaces_times_are_ordered_as_clocks_are(earlier, later):
    one, two = (named((f"1-2 - Jane Doe - {when}", "grad_cam.py")).attempt for when in (earlier, later))
    assert one < two


@pytest.mark.parametrize("place", ["alice/{}", "alice/11_grad_cam/{}", "alice/My Work/{}"])
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_belongs_to_its_lesson_in_a_class_of_several(handed_in, name, place):
    handed_in.put(place.format(name)).put("bob/saliency.py").put("eve/cam.py").put("zoe/filters.py")
    found = handed_in.found()
    assert [one for one in found if one[0] == "alice"] == [("alice", GRAD_CAM, place.format(name))]
    assert "PROBLEM" not in [place for _, _, place in found]


@pytest.mark.parametrize(
    ("name", "student"),
    [("Copy of alice_grad_cam.ipynb", "alice"), ("alice_grad_cam - Copy.ipynb", "alice"),
     ("Cam Smith.ipynb", "Cam Smith"),
     ("alice_grad_cam_final.py", "alice"), ("alice - 11 - Grad-CAM.ipynb", "alice"), ("grad_cam_alice.py", "alice"),
     ("smithalice_LATE_1_2_Copy of grad_cam.ipynb", "smithalice_1"), ("Cam Smith_grad_cam.py", "Cam Smith"),
     ("smithalice_1_question_5_2_grad_cam.py", "smithalice_1"), ("smithalice_1_text.html", "smithalice_1")],
)  # fmt: skip
def test_a_files_own_name_says_whose_it_is_around_the_lessons(handed_in, name, student):
    handed_in.put(name, notebook() if name.endswith("ipynb") else BEGUN)
    assert [(h.student, h.lesson) for h in handed_in.collect(GRAD_CAM)] == [(student, GRAD_CAM)]


def test_a_module_beside_the_work_is_not_taken_for_it_nor_for_a_lesson_of_the_class(handed_in):
    handed_in.put("alice/grad_cam.ipynb").put("alice/grad_cam_plots.py", "x = 1").put(
        "alice/my_filters_kit.py", "x = 1"
    )
    (handed_in.folder / "bob").mkdir()
    assert handed_in.found() == [("alice", GRAD_CAM, "alice/grad_cam.ipynb"), ("bob", GRAD_CAM, "PROBLEM")]
    assert handed_in.told == []


def test_a_copy_that_was_worked_in_counts_before_the_file_that_was_not(handed_in):
    handed_in.put("alice/grad_cam.py", STUB).put("alice/grad_cam (1).py").put("bob/grad_cam.py", STUB)
    assert handed_in.found() == [("alice", GRAD_CAM, "alice/grad_cam (1).py"), ("bob", GRAD_CAM, "bob/grad_cam.py")]
    assert handed_in.told == ["alice, 11_grad_cam: of 2 files alice/grad_cam (1).py counts."]


def test_nobody_is_not_judged_in_a_lesson_that_nobody_handed_in(handed_in):
    (handed_in.folder / "eve").mkdir(parents=True)
    handed_in.put("alice/Copy of grad_cam.ipynb").put("bob.rar", b"Rar!").put("zoe/answers.pdf", "x")
    found = [(name, lesson) for name, lesson, _ in handed_in.found(SALIENCY, GRAD_CAM, CAM)]
    assert found == [(name, GRAD_CAM) for name in ("alice", "bob", "eve", "zoe")]


CAPTURE = "def capture(model, images, targets, layer):\n    return images\n"  # two lessons have this function
SAID_BY_CONTENT = {
    "grade_ids": ("Untitled.ipynb", notebook("x = 1")),
    "a function": ("Untitled.ipynb", notebook().replace('"grade_id": "grad_cam"', '"grade_id": "cell-1"')),
    "a number": ("11.ipynb", notebook("x = 1").replace("grad_cam", "")),
    "a number and words": ("Lesson 11 - final.py", "x = 1"),
    "a number among two": ("11.ipynb", notebook(CAPTURE).replace("grad_cam", "")),
    "a module": ("homework.py", BEGUN + CAPTURE + "def grad_cam_map(activations, alpha):\n    return 1\n"),
    "an answer": ("homework 3.ipynb", notebook('sum_or_mean = "smaller"').replace("grad_cam", "")),
    "a notebook called a module": ("homework.py", notebook()),
    "the browser's suffix": ("grad_cam.ipynb.txt", notebook()),
    "the browser's number": ("grad_cam.ipynb (1).txt", notebook()),
    "a module with it": ("alice_grad_cam.py.txt", BEGUN),
    "another suffix": ("Grad-CAM.ipynb.json", notebook()),
    "neither": ("Untitled.ipynb.txt", notebook()),
}


@pytest.mark.parametrize("place", ["alice/{}", "alice/stuff/{}", "Al Li_7_assignsubmission_file_/{}"])
@pytest.mark.parametrize("form", SAID_BY_CONTENT)
def test_what_is_in_a_file_says_its_lesson_where_the_name_does_not(handed_in, form, place):
    name, content = SAID_BY_CONTENT[form]
    place = place.format(name)
    handed_in.put(place, content).put("bob/saliency.py").put("eve/cam.py")
    assert [(lesson, place) for student, lesson, place in handed_in.found() if student not in ("bob", "eve")] == [
        (GRAD_CAM, place)
    ]
    told = [sentence for sentence in handed_in.told if "counts: what is in it, or its number, is this" in sentence]
    assert bool(told) is ("rad" not in name)


def test_a_class_whose_files_have_no_lessons_name_is_graded(handed_in):
    handed_in.put("alice.ipynb").put("bob.ipynb")
    assert handed_in.found() == [("alice", GRAD_CAM, "alice.ipynb"), ("bob", GRAD_CAM, "bob.ipynb")]


def test_where_two_lessons_fit_it_is_told_which(handed_in):
    handed_in.put("alice/Untitled.ipynb", notebook(CAPTURE).replace("grad_cam", "")).put("bob/saliency.py")
    handed_in.put("alice/grad_cam.py").collect()
    told = "alice: left out: alice/Untitled.ipynb fits 04_layer_activation and 11_grad_cam alike; rename it."
    assert told in handed_in.told


def test_a_file_that_is_named_after_the_lesson_counts_before_one_that_fits(handed_in):
    handed_in.put("alice/Untitled.ipynb").put("alice/grad_cam.ipynb").put("bob/saliency.py")
    assert handed_in.found() == [("bob", SALIENCY, "bob/saliency.py"), ("alice", GRAD_CAM, "alice/grad_cam.ipynb")]


def test_of_two_files_that_fit_none_is_guessed(handed_in):
    handed_in.put("alice/a.ipynb").put("alice/b.ipynb").put("bob/saliency.py")
    assert handed_in.found() == [("bob", SALIENCY, "bob/saliency.py"), ("alice", GRAD_CAM, "PROBLEM")]
    assert "among alice/a.ipynb, alice/b.ipynb; rename the file that is meant." in handed_in.collect()[1].problem


def test_a_helper_that_has_a_function_of_another_lesson_is_a_helper(handed_in):
    handed_in.put("alice/grad_cam.ipynb", notebook("import mine\n" + FIRST)).put(
        "alice/mine.py", "def embed(x): return x"
    )
    handed_in.put("bob/nearest_neighbors.py", "x = 1")
    found = handed_in.collect()
    assert [(one.student, one.lesson) for one in found] == [("bob", "02_nearest_neighbors"), ("alice", GRAD_CAM)]
    assert "mine" in {source.module for source in found[1].submission.sources}


KINDS = {
    ".rar": "a RAR archive", ".7z": "a 7-Zip archive", ".tar.xz": "a tar archive packed by xz",
    ".pdf": "a PDF document",
    ".html": "a web page", ".docx": "a Word document", ".txt": "a text file", ".png": "a picture",
    ".xyz": "a file that ends in .xyz", "": "a file whose name has no ending",
}  # fmt: skip
PLACES = ["alice/grad_cam{}", "alice/homework{}", "alice/11_grad_cam/answers{}", "alice_grad_cam{}", "alice{}",
          "alice_1_2_homework{}", "Al Li_7_assignsubmission_file_/homework{}",
          "Al Li_7_assignsubmission_file_homework{}",
          "Grad-CAM_alice_attempt_2026-11-01-10-00-00_homework{}", "1-2 - Al Li - Nov 1, 2026 1000 AM/homework{}",
          "alice+11_grad_cam+2026-11-01 10:00:00 UTC/homework{}"]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "ending"),
    [*((place, ending) for place in PLACES for ending in (".rar", ".pdf")), *(("alice{}", ending) for ending in KINDS)],
)
def test_what_is_no_work_is_told_by_its_own_name_and_kind(handed_in, place, ending):
    place = place.format(ending)
    handed_in.put(place, b"?").put("bob/grad_cam.py")
    (handed,) = [one for one in handed_in.collect() if one.student != "bob"]
    assert handed.lesson == GRAD_CAM
    assert f"{place} is {KINDS[ending]}" in handed.problem
    assert "hand in" in handed.problem
    assert "no other file" not in handed.problem


def test_a_document_beside_the_work_is_no_problem(handed_in):
    handed_in.put("alice/grad_cam.ipynb").put("alice/grad_cam.html").put("alice/saliency.pdf").put("bob/saliency.py")
    assert handed_in.found() == [("bob", SALIENCY, "bob/saliency.py"), ("alice", GRAD_CAM, "alice/grad_cam.ipynb")]
    assert handed_in.told == []


@pytest.mark.parametrize("name", ["index.html", "grades.csv", "README.pdf", "submission_metadata.yml"])
def test_what_a_platform_puts_beside_the_work_is_nobody(handed_in, name):
    assert handed_in.put(name, "x").put("bob/grad_cam.py").found() == [("bob", GRAD_CAM, "bob/grad_cam.py")]
    assert [told for told in handed_in.told if told.startswith(f"{name}: left out")]


# Tar


def tarred(members, mode="w:gz"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        for name, content in members.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            data = b"" if isinstance(content, tarfile.TarInfo) else content.encode()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def member(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


@pytest.mark.parametrize(
    ("ending", "mode"), [(".tar", "w:"), (".tar.gz", "w:gz"), (".tgz", "w:gz"), (".TAR.GZ", "w:gz")]
)
@pytest.mark.parametrize("place", ["alice/x{}", "alice{}", "alice_grad_cam{}"])
def test_a_tar_is_read_like_a_zip(handed_in, tmp_path, place, ending, mode):
    members = {"./": member("./", tarfile.DIRTYPE), "./work/grad_cam.ipynb": notebook(), "./._grad_cam.ipynb": "?"}
    data = tarred(members, mode)
    handed_in.put(place.format(ending), data).put("bob/saliency.py")
    assert [(s, lesson) for s, lesson, _ in handed_in.found()] == [("bob", SALIENCY), ("alice", GRAD_CAM)]
    (tmp_path / f"class{ending}").write_bytes(tarred({"alice/grad_cam.py": BEGUN, "bob/saliency.py": BEGUN}, mode))
    assert [(s, lesson) for s, lesson, _ in handed_in.found(where=tmp_path / f"class{ending}")] == [
        ("bob", SALIENCY), ("alice", GRAD_CAM)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"\x1f\x8b broken", "is not a whole tar archive"), (b"", "is not a whole tar archive"),
     (tarred({"a": "x" * 60_000_000}), "unpacks to more than 50 MB; pack fewer files."),
     (tarred({str(n): "" for n in range(1001)}), "holds more than 1000 files; pack fewer."),
     (tarred({"../grad_cam.py": BEGUN}), 'leads out of the archive by "..";'),
     (tarred({"/grad_cam.py": BEGUN}), "has an absolute name;"),
     (tarred({"grad_cam.py": member("grad_cam.py", tarfile.SYMTYPE, "../bob/grad_cam.py")}), "is a link or a device;"),
     (tarred({"grad_cam.py": member("grad_cam.py", tarfile.LNKTYPE, "x")}), "is a link or a device;"),
     (tarred({"grad_cam.py": member("grad_cam.py", tarfile.CHRTYPE)}), "is a link or a device;"),
     (tarred({"x.zip": "PK"}), "lies in an archive in an archive;")],
    ids=["broken", "empty", "large", "many", "out of it", "absolute", "link", "hard link", "device", "archive"],
)  # fmt: skip
def test_a_tar_that_cannot_be_trusted_is_a_problem_of_its_student_alone(handed_in, data, sentence):
    handed_in.put("eve.tar.gz", data).put("bob/grad_cam.py")
    bob, eve = handed_in.collect()
    assert bob.submission
    assert eve.submission is None
    assert sentence in eve.problem


def test_a_tar_that_is_cut_off_is_a_problem_of_its_student(handed_in):
    data = tarred({"grad_cam.py": BEGUN * 100}, "w:")[:1000]
    handed_in.put("eve.tar", data).put("bob/grad_cam.py")
    bob, eve = handed_in.collect()
    assert (bool(bob.submission), eve.submission) == (True, None)
    assert "eve.tar is not a whole tar archive" in eve.problem


def test_whatever_packs_it_nobody_is_missing(handed_in):
    handed_in.put("a.zip", "?").put("b.tar", "?").put("c.rar", "?").put("d/x.7z", "?").put("e_1_2_x.pdf", "?").put(
        "f.docx"
    )
    for name in ("g", "h+11_grad_cam+2026-11-01 10:00:00 UTC", "1-2 - I - Nov 1, 2026 1000 AM"):
        (handed_in.folder / name).mkdir()
    handed_in.put("j.zip", zipped({})).put("k.zip", zipped({"x/": ""})).put("l/.DS_Store", "x").put("z/grad_cam.py")
    assert sorted(student for student, _, _ in handed_in.found()) == [
        "I_1", "a", "b", "c", "d", "e_1", "f", "g", "h", "j", "k", "l", "z"
    ]  # fmt: skip

"""Whatever the bytes: cells, code or one sentence, soon, and nothing else is opened, written or started.

A small number of examples each; `CNNVIZ_FUZZ=5000` sets how many, and then they are new in every run.
"""

import json
import os
import shutil
import unicodedata
from functools import cache
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import nbformat
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from autograder.batch.archive import in_archive
from autograder.batch.collect import collect
from autograder.batch.naming import named
from autograder.batch.stages import digest_of
from autograder.batch.student import release_copy
from autograder.course import registry
from autograder.isolated import confine
from autograder.reading.cells import Unreadable, read_cells
from autograder.reading.magics import as_python
from autograder.reading.rebuild import quoted, rebuilt, unquoted
from autograder.reading.submission import begun, from_cells, from_code
from autograder.text.words import visible

from .watching import outside, watched
from .zips import Member, packed, written

EXAMPLES = int(os.environ.get("CNNVIZ_FUZZ", "0"))
LESSON = registry.lesson("11_grad_cam")
as_python("%load")  # imports IPython, whose files are none that a hand-in opens
fuzz = settings(
    max_examples=EXAMPLES or 25,
    deadline=None if EXAMPLES else 5000,
    derandomize=not EXAMPLES,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)


# what is fed in is long, and Hypothesis warns before it shows it
pytestmark = pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")


@cache
def release():
    return release_copy(LESSON.id)


@cache
def real_notebook():
    return (Path(__file__).parents[3] / "solutions" / LESSON.id / f"{LESSON.name}.ipynb").read_bytes()


@cache
def real_module():
    return (Path(__file__).parents[3] / "solutions" / LESSON.id / f"{LESSON.name}.py").read_bytes()


@pytest.fixture(scope="module", autouse=True)
def loaded():
    """The release copy and what reads it, before anything is watched."""
    rebuilt(release(), read_cells(real_notebook(), "grad_cam.ipynb"))


def check_sentence(error):
    told = str(error)
    assert told.startswith(("submission: ", "submitted: ")), told
    assert told.endswith("."), told
    assert "\n" not in told
    assert told.encode()


# What is fed in

tokens = st.sampled_from([b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"\\ud800", b"1e999", b"NaN", b"-", b"\0",
                          b"\xff", b"\xef\xbb\xbf", b"cells", b"source", b"metadata", b"nbgrader", b"grade_id",
                          b"code", b"9" * 5000, b"[" * 3000, b"(" * 300, b"PK\1\2", b"PK\3\4", b"PK\5\6", b"PK\6\6",
                          b"../"])  # fmt: skip
edits = st.lists(
    st.tuples(st.integers(0, 2**20), st.integers(0, 40), st.one_of(st.binary(max_size=8), tokens)),
    min_size=1,
    max_size=8,
)


def edited(data, changes):
    """Each change takes some bytes away at a place and puts others there."""
    for place, taken, put in changes:
        place %= len(data) + 1
        data = data[:place] + put + data[place + taken :]
    return data


keys = st.sampled_from(["cells", "source", "metadata", "nbgrader", "grade_id", "cell_type", "code", "id", "worksheets",
                        "input", "solution", "locked", "grade", "outputs", "nbformat", "x"])  # fmt: skip
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), keys,
    st.sampled_from(["grad_cam", "capture", "check_capture", "def capture(): pass", "%magic", "\ud800", "code",
                     "markdown"]),
)  # fmt: skip
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=25
)
cells = st.fixed_dictionaries({}, optional=dict.fromkeys(("source", "metadata", "id", "cell_type", "input"), values))
notebooks = st.one_of(
    values,
    st.fixed_dictionaries({"cells": st.lists(cells | values, max_size=8)}),
    st.fixed_dictionaries(
        {"worksheets": st.lists(st.fixed_dictionaries({"cells": st.lists(cells, max_size=4)}) | values)}
    ),
)
names = st.one_of(
    st.sampled_from(["alice", "bob", "11_grad_cam", "grad_cam.py", "grad_cam.ipynb", "alice_grad_cam.py", "a.zip",
                     "x.ipynb", "s_1_2_grad_cam-1.py", "A B_7_assignsubmission_file_", "grad_cam (2).ipynb", "..", ".",
                     ".hidden",
                     "submitted", "__MACOSX", "_grad_cam.py", "grad_cam.py.zip", "GRAD-CAM.IPYNB", "Zoe\u0308",
                     "\u202e.py"]),
    st.text(min_size=1, max_size=12),
)  # fmt: skip
contents = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda e: edited(real_module(), e), edits),
    st.builds(lambda n: json.dumps(n).encode(), notebooks),
    st.builds(lambda e: edited(real_notebook(), e), edits),
)
members = st.builds(
    Member,
    name=st.one_of(st.lists(names, min_size=1, max_size=4).map("/".join), st.text(max_size=9)).map(
        lambda name: name.encode("utf-8", "replace")[:60000]
    ),
    data=contents,
    method=st.sampled_from([0, 8, 8, 8, 12, 14, 99]),
    flags=st.sampled_from([0, 0x800, 0x801, 8, 0xFFFF]),
    mode=st.sampled_from([0, 0o100644, 0o120777, 0o010644]),
    crc=st.none() | st.integers(0, 2**32 - 1),
    size=st.none() | st.integers(0, 2**32 - 1),
    packed_size=st.none() | st.integers(0, 2**32 - 1),
    offset=st.none() | st.integers(0, 2**32 - 1),
    extra=st.binary(max_size=30) | st.just(b"\1\0\x10\0" + b"\xff" * 16),
)
archives = st.lists(members, max_size=4).map(lambda several: written(*several))
spoiled = st.one_of(
    archives,
    st.binary(max_size=200),
    st.builds(edited, archives, edits),
    st.builds(
        lambda e: edited(packed({"bob/grad_cam.py": real_module(), "eve/grad_cam.ipynb": real_notebook()}), e), edits
    ),
)


# What must hold


def check_code(submission):
    """Of any code: the reader's questions have answers, and all of it can be kept."""
    assert all(type(s.label) is str and type(s.text) is str for s in submission.sources)
    assert all(s.grade_id is None or type(s.grade_id) is str for s in submission.sources)
    assert len(digest_of(submission)) == 64
    assert begun(submission, LESSON) in (True, False)
    assert submission.syntax_error() is None or submission.syntax_error().startswith("submission: ")
    assert all(type(cell.source) is str for cell in submission.cells("capture"))
    for source in submission.sources:
        source.text.encode()
        source.label.encode()


def in_words(cell, wanted):
    """Whether a cell is the student's answer in words, of which nothing is live."""
    return wanted.cell_type == "markdown" and quoted(unquoted(cell.source)) == cell.source


def check_notebook(data):
    """Of any bytes: what is graded is the release copy, with text of the student's in it, and nothing more."""
    with watched() as events:
        try:
            found = read_cells(data, "grad_cam.ipynb")
        except Unreadable as error:
            check_sentence(error)
            return
        notebook = rebuilt(release(), found)
        submission = from_cells(notebook.cells, "grad_cam.ipynb")
    assert not outside(events)
    check_code(submission)
    graded = [c for c in notebook.cells if c.metadata.get("nbgrader")]
    wanted = [c for c in release().cells if c.metadata.get("nbgrader")]
    assert [c.metadata for c in graded] == [c.metadata for c in wanted]
    pairs = [(c, w) for c, w in zip(graded, wanted, strict=True) if w.metadata.nbgrader.grade]
    assert all(c.source == w.source or in_words(c, w) for c, w in pairs)
    assert len({c.id for c in notebook.cells}) == len(notebook.cells)
    nbformat.validate(notebook)
    again = nbformat.reads(nbformat.writes(notebook), as_version=4)
    assert digest_of(from_cells(again.cells, "grad_cam.ipynb")) == digest_of(submission)


@fuzz
@given(st.one_of(st.binary(max_size=300), st.lists(tokens, max_size=12).map(b"".join)))
def test_raw_bytes_as_a_notebook(data):
    check_notebook(data)


@fuzz
@given(notebooks)
def test_any_json_as_a_notebook(notebook):
    check_notebook(json.dumps(notebook).encode())


moves = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["delete", "duplicate", "reverse"]), st.integers(0, 99), st.none()),
        st.tuples(st.just("swap"), st.integers(0, 99), st.integers(0, 99)),
        st.tuples(st.sampled_from(["source", "metadata", "id", "cell_type", "replace"]), st.integers(0, 99), values),
        st.tuples(st.sampled_from(["grade_id", "solution", "points"]), st.integers(0, 99), leaves),
    ),
    max_size=8,
)


def rearranged(moves):
    """A real notebook after each of these mishaps to its cells."""
    notebook = json.loads(real_notebook())
    cells = notebook["cells"]
    for kind, index, value in moves:
        place = index % max(1, len(cells))
        if kind == "delete":
            del cells[place : place + 1]
        elif kind == "duplicate":
            cells[place:place] = cells[place : place + 1]
        elif kind == "reverse":
            cells[place:] = cells[place:][::-1]
        elif kind == "swap" and cells:
            other = value % len(cells)
            cells[place], cells[other] = cells[other], cells[place]
        elif kind == "replace":
            cells[place : place + 1] = [value]
        elif cells and isinstance(cells[place], dict):
            about = cells[place].get("metadata")
            grader = about.get("nbgrader") if isinstance(about, dict) else None
            inner = kind in ("grade_id", "solution", "points") and isinstance(grader, dict)
            (grader if inner else cells[place])[kind] = value
    return json.dumps(notebook).encode()


@fuzz
@given(moves)
def test_a_real_notebook_with_cells_rearranged(moves):
    check_notebook(rearranged(moves))


@fuzz
@given(edits)
def test_a_real_notebook_with_bytes_changed(changes):
    check_notebook(edited(real_notebook(), changes))


@fuzz
@given(st.one_of(st.binary(max_size=300), contents, st.text(max_size=200).map(lambda t: t.encode("utf-16"))))
def test_any_bytes_as_a_module(data):
    with watched() as events:
        try:
            submission = from_code(data, "grad_cam.py")
        except Unreadable as error:
            check_sentence(error)
            return
        check_code(submission)
    assert not outside([e for e in events if e != ("read", "<unknown>")])  # ast.parse looks for the line to show it


@fuzz
@given(spoiled)
def test_any_bytes_as_a_zip(data):
    with watched() as events:
        try:
            entries = in_archive(BytesIO(data), "class.zip")
        except Unreadable as error:
            check_sentence(error)
            return
        for entry in entries:
            try:
                assert len(entry.read(100_000)) <= 100_000
            except Unreadable as error:
                check_sentence(error)
            assert all(
                p not in ("", ".", "..") and "/" not in p and "\0" not in p and "\\" not in p for p in entry.parts
            )
    assert not outside(events)


@fuzz
@given(st.lists(names, min_size=1, max_size=5))
def test_any_place_has_one_student_and_one_lesson_or_none(parts):
    about = named(parts)
    assert type(about.student) is str
    assert about == named(parts)
    assert about.depth == max(0, about.depth)


def check_collected(submitted, *allowed):
    told = []
    with patch.object(confine, "LINUX", False), watched() as events:  # read here, where it is watched
        try:
            handed = collect(submitted, told=told.append)
        except ValueError as error:
            check_sentence(error)
            handed = []
    course = [Path(__file__).parents[3] / name for name in ("lessons", "solutions")]
    assert not outside(events, *allowed, *course)
    assert handed == sorted(handed, key=lambda one: (one.lesson, one.student))
    assert len({(one.lesson, one.student) for one in handed}) == len(handed)
    for one in handed:
        assert one.student
        assert one.student == unicodedata.normalize("NFC", one.student)
        assert one.student.encode()
        assert registry.lesson(one.lesson).id == one.lesson
        assert (one.submission is None) == bool(one.problem)
        assert shows(one.problem)
        assert len(one.digest) == 64
        assert ".." not in Path(one.place).parts
        if one.submission is not None:
            assert one.digest == digest_of(one.submission)
            check_code(one.submission)
    assert all(map(shows, told))
    return handed


def shows(sentence):
    """Whether a terminal shows it as it is."""
    return visible(sentence) == sentence


def tree_of(folder):
    return sorted((str(p), p.is_symlink(), p.stat().st_size if p.is_file() else 0) for p in folder.rglob("*"))


places = st.lists(names, min_size=1, max_size=4)


@fuzz
@given(st.lists(st.tuples(places, st.one_of(contents, spoiled, st.sampled_from([None, "link", "pipe"]))), max_size=6))
def test_any_folder_is_collected(tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "secret.py").write_text("def grad_cam(): return 'SECRET'")
    submitted = folder / "in"
    submitted.mkdir()
    for parts, content in files:
        put(submitted, parts, content)
    before = tree_of(folder)
    try:
        handed = check_collected(submitted, submitted)
        assert tree_of(folder) == before
        assert not any("SECRET" in s.text for one in handed if one.submission for s in one.submission.sources)
    finally:
        shutil.rmtree(folder)


def put(submitted, parts, content):
    path = submitted.joinpath(*(part.replace("/", "_").replace("\0", "_") for part in parts if part not in ("..", ".")))
    assume(not os.path.lexists(path))  # to write into a pipe would wait for ever, through a link change the secret
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if content == "link":
            path.symlink_to(os.path.relpath(submitted.parent / "secret.py", path.parent))
        elif content == "pipe":
            os.mkfifo(path)
        elif content is None:
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(content)
    except (OSError, UnicodeError):
        assume(False)


@fuzz
@given(spoiled)
def test_any_zip_is_collected(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("fuzz")
    try:
        (folder / "class.zip").write_bytes(data)
        before = tree_of(folder)
        check_collected(folder / "class.zip", folder)
        assert tree_of(folder) == before
    finally:
        shutil.rmtree(folder)

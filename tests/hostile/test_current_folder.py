"""Commands that are run where hand-ins lie: nothing that a student put there is imported, run or read as settings."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from autograder.batch import grade_class, work
from autograder.batch.collect import collect
from autograder.batch.grade_class import grade_all
from autograder.batch.results import Store
from autograder.core.verdict import total
from autograder.isolated import current_folder
from autograder.isolated.bubblewrap import _program

ROOT = Path(__file__).parents[2]
LESSON, NAME, POINTS = "11_grad_cam", "grad_cam", 33
SOLVED = (ROOT / "solutions" / LESSON / f"{NAME}.py").read_text(encoding="utf-8")
SECRET = "the secret that a student's pickle.py once printed"

MODULES = (
    *("pickle", "torch", "numpy", "json", "typing", "sitecustomize", "usercustomize", "conftest", "nbgrader_config"),
    *("evil", "joblib", "encodings", "multiprocessing", "autograder", "cnnviz", "cnnviz_ref", "distributed", "logging"),
    *(
        "subprocess",
        "threading",
        "tempfile",
        "random",
        "signal",
        "typer",
        "rich",
        "matplotlib",
        "sklearn",
        "jupyterlab",
    ),
    *("contextlib", "inspect", "dataclasses", "jupyter_config", "jupyter_server_config", "psutil", "cloudpickle"),
)
PACKAGES = ("joblib", "encodings", "multiprocessing", "autograder", "cnnviz", "torch", "matplotlib", "distributed")
AT_START = ("encodings", "sitecustomize", "usercustomize")
"""Python itself imports these before any program begins, from wherever PYTHONPATH says."""


def poison(folder, canary, modules=MODULES):
    """Files that tell when anybody imports, runs or reads them."""
    code = f"import os\nwith open({str(canary)!r}, 'a') as file:\n    file.write(__file__ + os.linesep)\n"
    code += "print('STOLEN', os.environ.get('CNNVIZ_SECRET'))\n"
    for name in modules:
        place = folder / name / "__init__.py" if name in PACKAGES else folder / f"{name}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(code)
    (folder / "evil.pth").write_text(f"import os; open({str(canary)!r}, 'a').write('pth')\n")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p evil\npythonpath = .\n")
    (folder / "setup.cfg").write_text("[tool:pytest]\naddopts = -p evil\n")
    (folder / "matplotlibrc").write_bytes(b"backend: module://evil\nfont.size: 90\n\xff\xfe")
    for name in ("bwrap", "lscpu", "uname", "alembic"):
        (folder / name).write_text(f"#!/bin/sh\necho {name} >> {canary}\nexit 1\n")
        (folder / name).chmod(0o755)


class Class:
    """Two innocents and one who handed in the poison, which lies at the top of the folder too."""

    def __init__(self, root):
        self.root, self.folder, self.canary = root, root / "submitted", root / "canary"
        for student in ("ann", "bea", "mallory"):
            place = self.folder / student / LESSON
            place.mkdir(parents=True)
            (place / f"{NAME}.py").write_text(SOLVED, encoding="utf-8")
        for place in (self.folder, self.folder / "mallory", self.folder / "mallory" / LESSON):
            poison(place, self.canary)
        self.script = root / "bin" / "cnnviz"
        self.script.parent.mkdir()
        self.script.write_text("import sys\nfrom autograder.cli import main\nsys.exit(main())\n")  # as pip makes it

    def run(self, *arguments, command=None, status=(0,), **environment):
        """In the folder of hand-ins; what was printed."""
        command = command or [sys.executable, str(self.script)]
        path = os.pathsep.join([".", "", os.environ.get("PATH", os.defpath)])
        env = {**os.environ, "CNNVIZ_SECRET": SECRET, "OMP_NUM_THREADS": "1", "PATH": path, **environment}
        done = subprocess.run(
            [*command, *map(str, arguments)], cwd=self.folder, env=env, capture_output=True, text=True, timeout=400
        )
        said = done.stdout + done.stderr
        assert "STOLEN" not in said
        assert SECRET not in said
        assert not self.canary.exists(), self.canary.read_text()
        assert done.returncode in status, said
        return said

    def points(self, results):
        found = dict.fromkeys(INNOCENTS, 0.0)
        for result in Store(self.root / results, SECRET).results():
            if result.student in found:
                found[result.student] += total(result.rows)[0]
        return found


ODD = (0, 1)
"""Modules at the top are work of students of these names, some of which cannot be judged."""
INNOCENTS = {"ann": POINTS, "bea": POINTS}


@pytest.fixture
def handed_in(tmp_path):
    return Class(tmp_path)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """RESULTS of the class, as an older version of a library left them: all is to be graded anew."""
    made = Class(tmp_path_factory.mktemp("graded"))
    older = pytest.MonkeyPatch()
    for module in (work, grade_class):
        older.setattr(module, "libraries", lambda: {"torch": "0.1"})
    with older.context():
        grade_all(collect(made.folder, [LESSON]), Store(made.root / "results", SECRET), secret=SECRET)
    older.undo()
    return made


def test_cnnviz_grade_with_workers(handed_in):
    handed_in.run("grade", ".", "--out", "../results", "--jobs", "2", status=ODD)
    assert handed_in.points("results") == INNOCENTS
    assert sorted(path.name for path in handed_in.root.iterdir()) == ["bin", "results", "submitted"]


def test_a_course_file_that_was_handed_in_ends_every_command_and_its_lessons_are_not_run(handed_in):
    lesson = handed_in.folder / "solutions" / "16_evil"
    poison(lesson, handed_in.canary, ("cases",))
    for name, text in {"evil.md": "```yaml lesson\ntitle: a\nsummary: b\n```\n", "mistakes.md": ""}.items():
        (lesson / name).write_text(text)
    (handed_in.folder / "course.toml").write_text('own = ["."]\n[points]\n"grad_cam.capture" = 900\n')
    listed = {"CNNVIZ_BELIEVED": str(handed_in.root / "believed")}
    for command in (["grade", ".", "--out", "../results"], ["check", "11", "--submission", "ann"], []):
        assert "may be somebody else's" in " ".join(handed_in.run(*command, status=(2,), **listed).split())
    assert not (handed_in.root / "results").exists()


def test_cnnviz_grade_where_one_students_work_lies_and_a_place_in_pythonpath_is_empty(handed_in):
    handed_in.folder = handed_in.folder / "mallory" / LESSON
    for name in AT_START:
        shutil.rmtree(handed_in.folder / name) if name in PACKAGES else (handed_in.folder / f"{name}.py").unlink()
    handed_in.run("grade", "../..", "--out", "../../../results", "--jobs", "2", status=ODD, PYTHONPATH=f"{ROOT}:")
    assert handed_in.points("results") == INNOCENTS


def test_python_m_where_the_course_itself_is_not_shadowed(handed_in):
    shutil.rmtree(handed_in.folder / "autograder")  # `python -m` takes the first package of that name, and
    (handed_in.folder / "contextlib.py").unlink()  # looks for what itself needs there: docs/grading.md says so
    module = [sys.executable, "-m", "autograder.cli"]
    handed_in.run("grade", ".", "--out", "../results", "--jobs", "2", status=ODD, command=module)
    assert handed_in.points("results") == INNOCENTS


def test_a_dask_cluster_beside_the_hand_ins(handed_in):
    pytest.importorskip("distributed")
    (workers := handed_in.root / "workers").mkdir()
    file = workers / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1"]
    dask = [sys.executable, "-m", "dask"]
    commands = [[*dask, "scheduler", *common, "--port", "0"], [*dask, "worker", *common, "--nthreads", "1"]]
    quiet = {"cwd": workers, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [subprocess.Popen(command, **quiet) for command in commands]
    try:
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        handed_in.run("grade", ".", "--out", "../results", "--dask", address, status=ODD)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)
    assert handed_in.points("results") == INNOCENTS


def test_regrade_with_workers(graded):
    assert graded.points("results") == INNOCENTS
    said = graded.run("regrade", "../results", "--jobs", "2")
    assert "submissions were graded anew" in said
    assert graded.points("results") == INNOCENTS


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "../results"),
        ("similar", "../results"),
        ("feedback", "../results", "--out", "../pages"),
        ("cohort", "../results", "--out", "../cohort.html"),
        ("export", "csv", "../results", "--out", "../grades.csv"),
        ("export", "moodle", "../results", "--out", "../moodle.csv"),
        ("check", LESSON, "--submission", "ann"),
        ("watch", LESSON, "--help"),
        ("doctor",),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_what_reads_results_or_one_students_work(graded, arguments):
    graded.run(*arguments)


@pytest.mark.parametrize(
    "options", [("--cnnviz-submission", "submitted/mallory"), ("lessons/", "--cnnviz-submission=submitted/mallory")]
)
def test_pytest_on_what_was_handed_in(handed_in, options):
    shutil.copytree(ROOT / "lessons" / LESSON, handed_in.root / "lessons" / LESSON)
    test = handed_in.folder / "mallory" / "test_evil.py"
    shutil.copy(handed_in.folder / "evil.py", test)
    (handed_in.folder / "mallory" / "pytest.ini").write_text(f"[pytest]\naddopts = {test}\n")
    handed_in.folder = handed_in.root
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    options = [*options, "-k", "neuron_importance"]
    named = options[0] == "lessons/"
    said = handed_in.run(*options, command=command, status=(0 if named else 4,))
    assert ("5 of 5 points" if named else "which was handed in; name the tests too, as in `pytest lessons/") in said


def test_nbgrader_in_the_folder_of_the_course(handed_in):
    from nbgrader.api import Gradebook

    shutil.copy(ROOT / "nbgrader_config.py", handed_in.root)
    for part in ("solutions", "lessons"):
        shutil.copytree(ROOT / part / LESSON, handed_in.root / part / LESSON)
    for student in ("ann", "mallory"):
        shutil.copy(ROOT / "solutions" / LESSON / f"{NAME}.ipynb", handed_in.folder / student / LESSON)
    handed_in.folder = handed_in.root
    for step in ("generate_assignment", "autograde", "generate_feedback"):
        handed_in.run(step, LESSON, command=[sys.executable, "-m", "nbgrader"])
    with Gradebook(f"sqlite:///{handed_in.root}/gradebook.db") as gradebook:
        assert gradebook.find_submission(LESSON, "ann").score == POINTS


def test_a_secret_beside_what_was_handed_in_is_not_believed_and_none_is_made_there(handed_in):
    (handed_in.folder / ".cnnviz_secret").write_text("known to mallory\n")
    said = handed_in.run("grade", ".", "--out", "../results", status=(2,), CNNVIZ_SECRET="")
    assert "so a .cnnviz_secret here may be a student's; run the command in another folder" in said
    (handed_in.folder / ".cnnviz_secret").unlink()
    handed_in.run("grade", ".", "--out", "../results", status=(2,), CNNVIZ_SECRET="")
    assert not (handed_in.folder / ".cnnviz_secret").exists()


def test_a_student_named_lessons_is_not_the_release_copy(handed_in, monkeypatch):
    from autograder.batch.student import release_copy

    shutil.copytree(ROOT / "lessons" / LESSON, handed_in.folder / "lessons" / LESSON)
    (handed_in.folder / "lessons" / LESSON / f"{NAME}.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4}')
    monkeypatch.chdir(handed_in.folder)
    assert release_copy(LESSON).cells == []  # as instructors who keep their own copy here want it
    assert len(release_copy(LESSON, handed_in.folder).cells) > 5


def test_bwrap_is_never_taken_from_the_current_folder(handed_in, monkeypatch):
    monkeypatch.chdir(handed_in.folder)
    path = os.environ.get("PATH", os.defpath)
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", path]))
    assert shutil.which("bwrap") == "./bwrap"
    assert _program() == shutil.which("bwrap", path=path)


def test_matplotlib_reads_no_settings_of_the_current_folder(handed_in):
    (handed_in.folder / "matplotlibrc").write_text("font.size: 90\n")
    size = "; print(matplotlib.rcParams['font.size'])"
    ours = f"from autograder.isolated.current_folder import load; matplotlib = load('matplotlib'){size}"
    loaded = {"command": [sys.executable, "-c"], "PYTHONSAFEPATH": "1"}
    if sys.version_info < (3, 11):
        pytest.skip("python -c looks in the current folder")
    assert handed_in.run(ours, **loaded) == "10.0\n"
    assert handed_in.run(f"import matplotlib{size}", **loaded) == "90.0\n"


POOL = """
import os, sys
sys.path[:] = [place for place in sys.path if place]
import contextlib
from autograder.isolated import current_folder
def work():
    import joblib
    print(joblib.Parallel(2)(joblib.delayed(abs)(number) for number in (-1, -2)), os.getcwd())
def nothing():
    return contextlib.nullcontext()
"""
GUARDS = {
    "as it is": "with current_folder.elsewhere(): work()",
    "the folder alone, as for Python 3.10": "current_folder.SAFE = 'UNUSED'\nwith current_folder.elsewhere(): work()",
    "the variable alone": "os.environ['PYTHONSAFEPATH'] = '1'\nwith nothing(): work()",
    "neither, as once": "with nothing(): work()",
}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="PYTHONSAFEPATH is Python 3.11's")
@pytest.mark.parametrize("guard", GUARDS)
def test_workers_and_trackers_start_elsewhere(handed_in, guard):
    command = [sys.executable, "-c", POOL + GUARDS[guard]]
    for name in MODULES:  # these are imported before the workers are started
        if name not in ("pickle", "multiprocessing", "joblib", "random", "signal"):
            shutil.rmtree(handed_in.folder / name, ignore_errors=True)
    if guard == "neither, as once":
        with pytest.raises(AssertionError, match=r"STOLEN|canary|submitted"):
            handed_in.run(command=command)
        return
    said = handed_in.run(command=command)
    assert "[1, 2]" in said
    assert (str(handed_in.folder) in said) == (guard == "the variable alone")


STARTS = {
    "a program of Python": """
import subprocess
subprocess.run([sys.executable, "-c", "import pickle, numpy; print('ran')"])
""",
    "multiprocessing": """
import multiprocessing
process = multiprocessing.get_context("spawn").Process(target=print, args=["ran"])
process.start()
process.join()
""",
}
BEGIN = "import sys\nsys.path.remove('')\n"
GUARDED = BEGIN + "from autograder.isolated.current_folder import elsewhere\nwith elsewhere():\n"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="PYTHONSAFEPATH is Python 3.11's")
@pytest.mark.parametrize("way", STARTS)
def test_a_helper_that_is_started_the_plain_way_runs_two_files_of_a_student_and_prints_the_secret(tmp_path, way):
    poison(tmp_path, tmp_path / "canary", ("pickle", "numpy"))
    env = {**os.environ, "CNNVIZ_SECRET": SECRET}
    said = []
    for code in (GUARDED + textwrap.indent(STARTS[way], "    "), BEGIN + STARTS[way]):
        command = [sys.executable, "-c", code]
        said.append(subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60).stdout)
    guarded, plain = said
    assert guarded == "ran\n"
    assert f"STOLEN {SECRET}" in plain


def test_a_module_is_run_without_the_current_folder_on_its_path(handed_in):
    said = handed_in.run(command=current_folder.run("json.tool", "--help"))
    assert "usage" in said
    with pytest.raises(AssertionError, match="STOLEN"):
        handed_in.run(command=[sys.executable, "-m", "json", "--help"])

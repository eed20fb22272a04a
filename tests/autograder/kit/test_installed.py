"""What a student does: install the wheel where nothing else of ours is, work, check, hand in, be graded."""

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.batch.results import Store
from autograder.course import registry

from .conftest import LESSON, ROOT

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the folders of a venv are named otherwise")
RIGHT = ROOT / "autograder" / "demo" / "right" / LESSON / "grad_cam.py"
WRONG = {
    "neuron_importance": ("sum_for_mean", "return gradients.sum(dim=(2, 3))"),
    "grad_cam_map": ("no_relu", "return torch.einsum('nk,nkij->nij', alpha, activations)"),
    "quadrant_shares": (
        "raw_sums",
        "return torch.stack([maps[:, t:b, l:r].sum((1, 2)) for t, l, b, r in quadrants.tolist()], 1)",
    ),
}
"""Function -> (the mistake's name, a body that makes it)."""


@pytest.fixture(scope="module")
def student(released, tmp_path_factory):
    """The unpacked archive, and a Python in which its wheel is installed beside torch and the like."""
    folder = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(released.archive) as archive:
        archive.extractall(folder)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    course = folder / released.archive.stem
    lend_packages(python)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-index", "--no-cache-dir"]
    subprocess.run([*pip, str(course / released.wheel.name)], check=True, cwd=folder, env=environment(folder))
    return SimpleNamespace(course=course, python=python, folder=folder)


def lend_packages(python: Path) -> None:
    """Everything that is installed here, but for the course itself: a folder of links, without `.pth` files."""
    links = python.parents[1] / "lent"
    links.mkdir()
    for place in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        for path in Path(place).iterdir():
            if not path.name.lower().startswith(("cnnviz", "autograder", "_editable", "__")) and path.suffix != ".pth":
                (links / path.name).symlink_to(path)
    site = next(python.parents[1].glob("lib/python*/site-packages"))
    (site / "lent.pth").write_text(f"{links}\n")


def environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "CNNVIZ"))}
    return {
        **kept,
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "COLUMNS": "120",
        "OMP_NUM_THREADS": "1",
    }


def run(student, *command) -> subprocess.CompletedProcess:
    words = [str(student.python), *map(str, command)]
    return subprocess.run(words, cwd=student.course, env=environment(student.folder), capture_output=True, text=True)


def cnnviz(student, *arguments) -> subprocess.CompletedProcess:
    return run(student, student.python.parent / "cnnviz", *arguments)


def pytest_in(student, *arguments) -> subprocess.CompletedProcess:
    return run(student, "-m", "pytest", "-q", "-p", "no:cacheprovider", "lessons", *arguments)


def bodies(path: Path) -> dict[str, str]:
    source = path.read_text("utf-8")
    parts = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(source, node) for node in parts}


def test_nothing_of_the_full_course_is_importable_there(student):
    program = """
import importlib.util, json, sys
def there(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False
import autograder, cnnviz
names = ["cnnviz_ref", "autograder.kit", "autograder.authoring"]
names += ["autograder.course.authored", "autograder.batch.grade_class"]
print(json.dumps([[name for name in names if there(name)], autograder.__file__, cnnviz.__file__, sys.path]))
"""
    found, *places, path = json.loads(run(student, "-c", program).stdout)
    assert found == []
    assert all(place.startswith(str(student.folder)) for place in places)
    assert not [each for each in path if each.startswith(str(ROOT))]


def test_an_untouched_lesson_is_one_quiet_table(student):
    done = pytest_in(student)
    assert "30 not attempted" in done.stdout, done.stdout + done.stderr
    assert "0 of 33 points" in done.stdout


def test_a_right_answer_passes_and_the_hidden_checks_are_said_to_come_later(student):
    done = pytest_in(student, "--cnnviz-submission", RIGHT.parents[1])
    assert (done.returncode, "20 passed, 10 skipped" in done.stdout) == (0, True), done.stdout + done.stderr
    assert "21 of 33 points" in done.stdout
    assert "10 checks, 12 points: judged when you hand in" in done.stdout


def test_three_mistakes_are_named(student):
    source = RIGHT.read_text("utf-8")
    for name, (_, body) in WRONG.items():
        old = bodies(RIGHT)[name]
        source = source.replace(old, old.splitlines()[0] + f"\n    {body}")
    own = student.folder / "mistaken" / LESSON / "grad_cam.py"
    own.parent.mkdir(parents=True)
    own.write_text(source, "utf-8")
    done = cnnviz(student, "check", "11", "--submission", own.parents[1], "--json", student.folder / "told.json")
    assert done.returncode == 1, done.stdout + done.stderr
    rows = json.loads((student.folder / "told.json").read_text("utf-8"))["checks"]
    told = {(r["exercise"], r["diagnosis"]["name"]): r["diagnosis"]["message"] for r in rows if r["diagnosis"]}
    for name, (mistake, _) in WRONG.items():
        exercise = registry.exercise(f"grad_cam.{name}")
        sentence = next(m.sentence for m in exercise.misconceptions if m.name == mistake)
        assert told[exercise.id, mistake] == sentence
        assert " ".join(sentence.split()[:4]) in " ".join(done.stdout.split())


def test_check_in_a_notebook_draws_a_panel_with_a_picture(student):
    program = """
from autograder import check
def neuron_importance(gradients):
    return gradients.sum(dim=(2, 3))
def grad_cam_map(activations, alpha):
    return (alpha[:, :, None, None] * activations).sum(1).relu()
wrong = check("grad_cam.neuron_importance", neuron_importance)
right = check("grad_cam.grad_cam_map", grad_cam_map)
answer = check("grad_cam.sum_or_mean", "same_picture")
print(wrong.passed, right.passed, answer.passed, right._repr_html_().count("<img"))
print(wrong)
print(answer)
"""
    done = run(student, "-c", program)
    first, *rest = done.stdout.splitlines()
    assert first.split()[:3] == ["False", "True", "True"], done.stdout + done.stderr
    assert int(first.split()[3]) >= 1
    told = " ".join(" ".join(rest).split())
    assert "divide by Z = h·w" in told
    assert 'your answer is kept: "a"; it is judged when you hand in.' in told


def test_the_map_the_hints_and_what_is_only_for_instructors(student):
    assert "0 of 33 points" in cnnviz(student).stdout
    assert "gradients has four axes" in cnnviz(student, "hint", "neuron_importance").stdout
    refused = cnnviz(student, "grade", "x", "--out", "y")
    assert refused.returncode == 2
    assert "grade is a command for instructors" in " ".join(refused.stderr.split())
    listed = cnnviz(student, "--help").stdout
    assert "check" in listed
    assert not [name for name in ("grade", "build", "lint", "release") if f" {name} " in listed]


def test_the_first_visible_case_that_fails_is_debugged_from_what_was_recorded(student):
    module = student.course / "lessons" / LESSON / "grad_cam.py"
    before = module.read_text("utf-8")
    stub = bodies(module)["neuron_importance"]
    module.write_text(before.replace(stub, f"{stub.splitlines()[0]}\n    {WRONG['neuron_importance'][1]}"), "utf-8")
    told = cnnviz(student, "debug", "11").stdout
    module.write_text(before, "utf-8")
    assert ">>> neuron_importance(gradients)" in told
    assert "divide by Z = h·w" in told
    assert "The largest difference is at α[0, 1]" in told


def test_a_lesson_goes_back_to_what_was_handed_out(student):
    reset(student.course, lambda *arguments: cnnviz(student, *arguments).stdout)


def reset(folder: Path, cnnviz) -> None:
    """Writes in both files of the lesson, and `cnnviz reset` puts them back."""
    files = [folder / "lessons" / LESSON / f"grad_cam{kind}" for kind in (".py", ".ipynb")]
    before = [file.read_bytes() for file in files]
    assert "Nothing to do" in cnnviz("reset", "11")
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content.replace(b"is not written yet", b"is written"))
    assert "Yours is kept" in cnnviz("reset", "11")
    assert [file.read_bytes() for file in files] == before
    for backup in files[0].parent.glob("*_backup_*"):
        backup.unlink()


def test_what_is_handed_in_from_it_is_graded_by_the_full_course(student, tmp_path, monkeypatch):
    own = tmp_path / "submitted" / "ada" / LESSON
    shutil.copytree(student.course / "lessons" / LESSON, own)
    notebook = json.loads((own / "grad_cam.ipynb").read_text("utf-8"))
    for cell in notebook["cells"]:
        for name, body in bodies(RIGHT).items():
            if cell["cell_type"] == "code" and "".join(cell["source"]).lstrip().startswith(f"def {name}("):
                cell["source"] = RIGHT.read_text("utf-8").split("def capture")[0] + body
    (own / "grad_cam.ipynb").write_text(json.dumps(notebook), "utf-8")
    monkeypatch.setenv("CNNVIZ_SECRET", "spring term, a secret that is long enough")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.app, ["grade", "submitted", "--out", "results", "--jobs", "1"])
    assert done.exit_code == 0, done.output
    store = Store(tmp_path / "results", "spring term, a secret that is long enough")
    points = {result.item: result.points for result in store.results()}
    for exercise in registry.lesson(LESSON).exercises:
        assert points[exercise.id] == (exercise.points, exercise.points)

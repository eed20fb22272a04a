"""Lessons of an instructor's own: what `cnnviz new` refuses, what of them travels, what is said of what they lack."""

import io
import shutil
import zipfile

import pytest
from typer.testing import CliRunner

from autograder.authoring.build import build
from autograder.authoring.own import copied_lesson, new_exercise, new_lesson
from autograder.cli import app
from autograder.core.version import checks_version
from autograder.course import outlines, registry
from autograder.exports.gradescope import autograder_zip
from autograder.study.cache import Cache
from autograder.study.telling import climb

from ..conftest import forget

OWN = "16_blur"


@pytest.fixture
def mine(chosen, tmp_path, monkeypatch):
    """A folder of an instructor's own, as the current one."""
    chosen('own = ["."]\n[points]\n"grad_cam.capture" = 9\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def blur(mine):
    """A lesson in it."""
    new_lesson("blur")
    forget()
    return mine / "solutions" / OWN


@pytest.mark.parametrize("name", ["class", "random", "torch", "grad_cam", "11_blur", "Blur", "two blurs"])
def test_a_name_that_no_lesson_can_have_is_refused(mine, name):
    with pytest.raises(ValueError, match=r"^NAME: got "):
        new_lesson(name)
    assert not (mine / "solutions").exists()


def test_a_name_that_no_function_can_have_is_refused(blur):
    with pytest.raises(ValueError, match=r"no word of Python's\.$"):
        new_exercise(registry.lesson("blur"), "lambda")


def test_an_exercise_is_added_where_cases_lack_what_its_checks_use(mine):
    copied_lesson("13")
    forget()
    assert "randn" not in (mine / "solutions/13_deeplift/cases.py").read_text(encoding="utf-8")
    new_exercise(registry.lesson("13"), "spread")
    forget()
    assert registry.exercise("deeplift.spread").cases[0].build


def test_an_exercise_is_added_to_a_lesson_that_has_none(blur):
    text, question = (blur / "blur.md").read_text(encoding="utf-8"), "```yaml question"
    begin, end = text.index("```yaml exercise"), text.index(question)
    (blur / "blur.md").write_text(text[:begin] + text[end:], encoding="utf-8")
    forget()
    assert question in text
    new_exercise(registry.lesson("blur"), "spread")
    forget()
    assert [item.id for item in registry.lesson("blur").items] == ["blur.spread", "blur.of_zeros"]


def test_a_formula_with_a_command_that_no_terminal_shows_is_no_obstacle(blur):
    text = (blur / "blur.md").read_text(encoding="utf-8")
    (blur / "blur.md").write_text(text.replace(r"'\max_{ij} A", r"'\mathbb{E}_{ij} A"), encoding="utf-8")
    forget()
    build(["blur"])
    forget()
    assert outlines.item("blur.reach").formula.startswith(r"\mathbb{E}")


def test_an_exercise_without_hints_is_not_called_a_prediction(blur, monkeypatch, tmp_path):
    monkeypatch.setenv("CNNVIZ_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ValueError, match=r"^hint: blur\.reach has no hints; its lesson says what it asks for\.$"):
        climb(outlines.item("blur.reach"), Cache())


def test_what_an_editor_leaves_beside_the_lessons_is_no_lesson(blur):
    (blur.parent / ".ipynb_checkpoints").mkdir()
    (blur.parent / ".ipynb_checkpoints" / "mistakes-checkpoint.md").write_text("", encoding="utf-8")
    forget()
    assert registry.lesson("blur").id == OWN


def test_a_photo_beside_the_checks_is_one_of_the_files_that_a_verdict_depends_on(blur):
    before = checks_version(OWN)
    for name in (".blur.md.swp", "blur.md~"):
        (blur / name).write_bytes(b"an editor's")
    forget()
    assert checks_version(OWN) == before
    (blur / "cat.png").write_bytes(b"a photo")
    forget()
    assert checks_version(OWN) != before


@pytest.mark.parametrize("way", ["code", "wheel"])
def test_gradescope_gets_the_lesson_with_what_lies_beside_it_and_the_points_that_are_chosen(blur, tmp_path, way):
    (blur / "cat.png").write_bytes(b"a photo")
    wheel = tmp_path / "cnnviz-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    data = autograder_zip(registry.lesson("blur"), secret="x", wheel=wheel if way == "wheel" else None)
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        names = set(packed.namelist())
        packed.extractall(tmp_path / "zip")
    own = {f"course/own/solutions/{OWN}/{name}" for name in ("cases.py", "blur.py", "cat.png")}
    assert own | {f"course/own/lessons/{OWN}/blur.ipynb"} <= names
    shutil.copy(tmp_path / "zip/course/course.toml", tmp_path / "course.toml")
    shutil.copytree(tmp_path / "zip/course/own", tmp_path / "own")
    forget()
    assert [lesson.id for lesson in registry.lessons()] == [OWN]


def test_points_that_are_chosen_go_to_gradescope_with_a_wheel_too(mine, tmp_path):
    wheel = tmp_path / "cnnviz-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    with zipfile.ZipFile(io.BytesIO(autograder_zip(registry.lesson("11"), secret="x", wheel=wheel))) as packed:
        assert '"grad_cam.capture" = 9' in packed.read("course/course.toml").decode()
        assert "CNNVIZ_COURSE" in packed.read("start.py").decode()


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_cannot_be_is_refused(port):
    done = CliRunner().invoke(app, ["explore", "--port", port, "--no-browser"])
    assert done.exit_code == 2
    assert "--port" in done.stderr

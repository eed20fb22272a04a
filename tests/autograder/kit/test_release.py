"""`cnnviz release`: what is handed out, and that no answer is in it."""

import io
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from autograder import cli
from autograder.core.oracle import Setting, parts_of, seed_of
from autograder.course import registry
from autograder.course.sources import imported
from autograder.kit import release as wheels
from autograder.kit.contents import COMMANDS, code_files
from autograder.kit.leaks import texts
from autograder.kit.release import contents, release, zipped

from .conftest import LESSON, ROOT

SETTINGS = (Setting(), Setting("spring term", "ada"))


@pytest.fixture(scope="module")
def inside(released) -> dict[str, bytes]:
    """Path -> content of everything in the archive, and of everything in the wheel in it."""
    found = unzipped(released.archive.read_bytes())
    return found | unzipped(next(content for path, content in found.items() if path.endswith(".whl")))


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_folder_and_the_archive_hold_the_lesson_a_readme_and_a_wheel(released, inside):
    files = (
        "README.md",
        "grad_cam.ipynb",
        "grad_cam.py",
        "picture.png",
        "test_grad_cam.py",
        "whose_alpha.svg",
        "whose_map.svg",
    )
    names = {f"lessons/11_grad_cam/{name}" for name in files}
    expected = {*names, "README.md", released.wheel.name}
    assert {path.relative_to(released.folder).as_posix() for path in released.folder.rglob("*") if path.is_file()} == {
        *expected, released.archive.name
    }  # fmt: skip
    assert released.archive.name == "cnnviz-11_grad_cam.zip"
    assert {name.removeprefix("cnnviz-11_grad_cam/") for name in inside if name.startswith("cnnviz-11_")} == expected
    assert released.archive.stat().st_size < 5e6


def test_the_readme_names_the_wheel_and_every_command_that_it_shows_is_in_it(released):
    text = (released.folder / "README.md").read_text("utf-8")
    assert f"pip install ./{released.wheel.name}" in text
    shown = {line.split()[1] for line in text.splitlines() if line.startswith("    cnnviz ")} - {"#"}
    assert shown >= {"open", "watch", "check", "hint", "reset"}
    assert all(any(Path(cli.COMMANDS[name]).match(pattern) for pattern in COMMANDS) for name in shown)


def test_the_same_course_gives_the_same_bytes(released):
    files, _ = contents([registry.lesson(LESSON)])
    assert zipped(files, released.archive.stem) == released.archive.read_bytes()


def test_solutions_are_in_the_wheel_where_the_instructor_says_so_and_only_there(inside):
    place = "autograder/solutions/11_grad_cam/grad_cam.py"
    assert place not in inside
    files, _ = contents([registry.lesson(LESSON)], with_solutions=True)
    (wheel,) = (unzipped(content) for path, content in files.items() if path.endswith(".whl"))
    assert wheel[place] == (ROOT / "solutions/11_grad_cam/grad_cam.py").read_bytes()
    assert [path for path in wheel if "solutions" in path] == [place]
    assert not any("solutions" in path for path in files)


def test_a_changed_file_changes_the_version_so_that_pip_installs_it():
    one, other = (wheels._content({"a": content}) for content in (b"1", b"2"))
    assert one != other


def arrays_of(part):
    """Bytes of everything numeric that a part is made of and that is long enough to be no accident."""
    tensors = [t for call in part.calls for value in call.inputs.values() for t in held(value)]
    data = [t.detach().contiguous().numpy().tobytes() for t in tensors if t.numel() >= 8]
    data += [a.tobytes() for result in part.expected for a in result.arrays if a.size >= 4]
    return [each for each in data if len(set(each)) > 8]


def held(value):
    if isinstance(value, torch.Tensor):
        return [value]
    return list(value.state_dict().values()) if isinstance(value, nn.Module) else []


def test_no_array_of_a_hidden_case_is_in_it_and_every_visible_one_is(inside):
    packs = b"".join(content for path, content in inside.items() if path.endswith(".safetensors"))
    for setting in SETTINGS:
        for part in [p for e in registry.lesson(LESSON).exercises for p in parts_of(e, setting)]:
            if not hasattr(part.part, "hidden"):
                continue
            searched = packs if not part.part.hidden else b"".join(inside.values())
            found = [each in searched for each in arrays_of(part)]
            assert found, part.part.name
            assert not any(found) if part.part.hidden else all(found), (part.exercise.id, part.part.name)


def test_no_hidden_seed_is_in_it(inside):
    for exercise in registry.lesson(LESSON).exercises:
        for case in [case for case in exercise.cases if case.hidden]:
            for seed in [seed_of(exercise, case, setting) for setting in SETTINGS]:
                ways = (str(seed).encode(), f"{seed:x}".encode(), seed.to_bytes(7, "big"), seed.to_bytes(7, "little"))
                assert not [path for path, data in inside.items() for way in ways if way in data]


def test_packs_name_no_function_of_the_answer_key(inside):
    for path, content in inside.items():
        assert not (path.endswith(".safetensors") and (b"cnnviz_ref" in content or b"autograder" in content)), path


def test_no_module_of_answers_is_in_the_wheel_and_what_is_there_needs_none(inside):
    names = {path for path in inside if path.endswith(".py")}
    batch = [f"autograder/batch/{name}" for name in ("grading", "results", "secret", "signed", "work")]
    apart = ("cnnviz_ref/", "autograder/kit/", "autograder/demo/", *batch)
    assert not [name for name in names if name.startswith(apart)]
    root = ROOT
    for path in code_files():
        for name in imported(path, root):
            file = root.joinpath(*name.split("."))
            places = [p for p in (file.with_suffix(".py"), file / "__init__.py") if p.is_file()]
            there = all(place.relative_to(root).as_posix() in names for place in places)
            assert there or name.startswith(("autograder.course.authored", "autograder.authoring")), (path, name)


def test_right_answers_are_in_no_text(inside):
    for question in registry.lesson(LESSON).questions:
        for path, content in inside.items():
            assert f"{question.variable} = {question.literal}" not in "\n".join(texts(path, content)), path


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    done = CliRunner().invoke(cli.app, ["release", str(tmp_path), "--lessons", "11"])
    assert done.exit_code == 2
    assert (
        done.stderr.strip() == f"cnnviz: DIR: {tmp_path} is not empty and holds no earlier release; name a new folder."
    )
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(cli.app, ["release", str(tmp_path / "file"), "--lessons", "11"])
    assert done.stderr.strip().endswith("is a file; name a folder to write to.")


def test_an_unknown_lesson_is_said(tmp_path):
    done = CliRunner().invoke(cli.app, ["release", str(tmp_path / "out"), "--lessons", "11,grad"])
    assert done.exit_code == 2
    assert 'lesson: got "grad", which does not exist' in done.stderr
    assert not (tmp_path / "out").exists()


def test_an_earlier_release_is_replaced_and_what_others_put_beside_it_stays(tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.kit.release.package_files", lambda lessons, built: {f"a/{lessons[0].id}": b""})
    monkeypatch.setattr("autograder.kit.release.checked", lambda *args: [])
    monkeypatch.setattr("autograder.kit.release.wheel", lambda files: (f"cnnviz-0+student.{len(str(files))}.whl", b""))
    release(tmp_path / "out", ["11"])
    (tmp_path / "out" / "syllabus.md").write_text("week 1")
    second = release(tmp_path / "out", ["13", "10_cam"])
    assert second.archive.name == "cnnviz-10_cam-13_deeplift.zip"
    left = {"README.md", second.archive.name, second.wheel.name, "lessons", "syllabus.md"}
    assert {path.name for path in (tmp_path / "out").iterdir()} == left
    assert sorted(path.name for path in (tmp_path / "out" / "lessons").iterdir()) == ["10_cam", "13_deeplift"]


def test_the_wheel_asks_for_what_students_need_and_no_more(inside):
    (metadata,) = (content.decode() for path, content in inside.items() if path.endswith("METADATA"))
    needed = [line.split()[1] for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    assert any(each.startswith("torch>") for each in needed)
    assert any(each.startswith("jupyterlab>") for each in needed)
    assert not [each for each in needed if each.startswith(("nbgrader", "jupytext", "hatchling"))]
    (tomli,) = (line for line in metadata.splitlines() if line.startswith("Requires-Dist: tomli"))
    assert tomli.endswith("; python_version < '3.11'")  # what only some Pythons need stays so


def test_on_colab_a_notebook_asks_for_the_wheel_and_is_the_one_that_a_reset_goes_back_to(released, inside):
    notebook = "lessons/11_grad_cam/grad_cam.ipynb"
    handed = inside[f"cnnviz-11_grad_cam/{notebook}"]
    assert b"files.upload()" in handed
    assert handed == inside[f"autograder/{notebook}"]
    assert f"asks you for the file `{released.wheel.name}`" in (released.folder / "README.md").read_text("utf-8")


def test_with_an_address_a_notebook_downloads_the_wheel_from_there(tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.kit.release.package_files", lambda lessons, built: {})
    monkeypatch.setattr("autograder.kit.release.checked", lambda *args: [])
    monkeypatch.setattr("autograder.kit.release.wheel", lambda files: ("cnnviz-0+student.0.whl", b""))
    address = "https://uni.example/cnn.whl"
    command = ["release", str(tmp_path / "out"), "--lessons", "11", "--wheel-url", address]
    assert CliRunner().invoke(cli.app, command).exit_code == 0
    text = (tmp_path / "out" / "lessons" / "11_grad_cam" / "grad_cam.ipynb").read_text("utf-8")
    assert f'urlretrieve(\\"{address}\\"' in text
    assert "files.upload" not in text
    assert "asks you for" not in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_an_address_that_is_none_is_said_and_nothing_is_written(tmp_path):
    command = ["release", str(tmp_path / "out"), "--lessons", "11", "--wheel-url", "cnn.whl"]
    done = CliRunner().invoke(cli.app, command)
    assert done.exit_code == 2
    assert 'cnnviz: --wheel-url: got "cnn.whl"; give the address' in done.stderr
    assert not (tmp_path / "out").exists()

"""Progress is what the files and the checks say, and nothing else."""

from dataclasses import replace

import pytest

from autograder.study.judging import Judging
from autograder.study.progress import known

from .conftest import ROOT, write

WRONG, RIGHT = "return gradients.sum(dim=(2, 3))", "return gradients.mean(dim=(2, 3))"


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """One warm process for all tests here; each has a cache of its own."""
    from autograder.study.cache import Cache

    with Judging(Cache(tmp_path_factory.mktemp("warm"))) as judging:
        yield judging


@pytest.fixture
def judging(warm, cache, monkeypatch):
    monkeypatch.setattr(warm, "_cache", cache)
    monkeypatch.setattr(warm, "_kept", {})
    return warm


def state(standing, name="neuron_importance"):
    return next(state for state in standing.states if state.item.name == name)


def refuse(*_, **__):
    raise AssertionError("code was run")


def test_an_untouched_lesson_is_known_by_reading(work, cache):
    standing = known(work, cache)
    assert (standing.done, standing.points.earned, standing.minutes, standing.begun) == (0, 0, 50, False)
    assert standing.next.item.id == "grad_cam.capture"


def test_a_mistake_is_named_and_then_known_without_running_it_again(work, cache, judging, monkeypatch):
    write(work, WRONG)
    assert known(work, cache) is None
    standing = judging.standing(work)
    assert state(standing).verdict == "failed"
    assert "divide by Z" in state(standing).told[0][0]
    assert known(work, cache).states == tuple(replace(s, output="") for s in standing.states)
    monkeypatch.setattr(judging, "_kept", {})
    monkeypatch.setattr("autograder.core.grade._run", refuse)
    work.module.write_text(work.module.read_text(encoding="utf-8") + "\n# a comment\n", encoding="utf-8")
    assert known(work, cache) is None
    assert state(judging.standing(work)).told == state(standing).told


def test_other_checks_forget_what_was_known(work, cache, judging, monkeypatch):
    write(work, WRONG)
    judging.standing(work)
    for module in ("progress", "judging"):
        monkeypatch.setattr(f"autograder.study.{module}.checks_version", lambda lesson: "others")
    assert known(work, cache) is None
    run = []
    monkeypatch.setattr("autograder.study.judging.grade_in", _noting(run))
    judging.standing(work)
    assert "grad_cam.neuron_importance" in run


def test_only_what_changed_is_run_and_what_is_built_on_it(work, judging, monkeypatch):
    solved = (ROOT / "solutions/11_grad_cam/grad_cam.py").read_text(encoding="utf-8")
    work.module.write_text(solved, encoding="utf-8")
    assert judging.standing(work).finished
    run = []
    monkeypatch.setattr("autograder.study.judging.grade_in", _noting(run))
    work.module.write_text(solved.replace("gradients.mean(dim=(2, 3))", "gradients.sum(dim=(2, 3))"), encoding="utf-8")
    standing = judging.standing(work)
    assert [name for name in run if "." in name and name.split(".")[1] not in _questions(work)] == [
        "grad_cam.neuron_importance",
        "grad_cam.grad_cam",
    ]
    assert state(standing, "capture").passed
    assert not state(standing).passed


def _noting(run):
    from autograder.core.grade import grade_in

    def noted(submission, item, *given, **more):
        run.append(item.id)
        return grade_in(submission, item, *given, **more)

    return noted


def _questions(work):
    return {item.name for item in work.outline.items if item.kind == "question"}


def test_a_line_that_is_named_moves_with_the_file(work, judging):
    write(work, "return gradients.mean(dims)")
    first = state(judging.standing(work)).told[0][0]
    work.module.write_text("\n\n" + work.module.read_text(encoding="utf-8"), encoding="utf-8")
    second = state(judging.standing(work)).told[0][0]
    line = next(n for n, text in enumerate(work.module.read_text().split("\n"), 1) if "mean(dims)" in text)
    assert f"line {line - 2}" in first
    assert f"line {line}" in second


def test_every_way_to_lose_the_cache_gives_the_same_progress(work, cache, judging, monkeypatch):
    write(work, RIGHT)
    whole = judging.standing(work)
    for path in cache.folder.rglob("*.json"):
        path.write_bytes(path.read_bytes()[:-7])
    monkeypatch.setattr(judging, "_kept", {})
    assert known(work, cache) is None
    again = judging.standing(work)
    assert [(s.verdict, s.points) for s in again.states] == [(s.verdict, s.points) for s in whole.states]
    assert known(work, cache) is not None


def test_a_fault_of_the_graders_own_is_told_and_never_kept(work, cache, judging, monkeypatch):
    write(work, RIGHT)
    monkeypatch.setattr("autograder.core.grade._run", refuse)
    assert state(judging.standing(work)).verdict == "not judged"
    assert known(work, cache) is None
    monkeypatch.undo()


def test_a_module_in_the_middle_of_being_typed_is_one_calm_sentence(work, judging):
    write(work, "return gradients.mean(dim=(2, 3)")
    standing = judging.standing(work)
    assert standing.problem.startswith("grad_cam.py is not complete yet: line 42, '(' was never closed")
    assert str(standing.points) == "– not judged"


def test_a_folder_without_files_says_what_brings_them(work, judging):
    for path in work.files:
        path.unlink()
    assert judging.standing(work).problem == "grad_cam.py and grad_cam.ipynb are gone; `cnnviz reset 11` brings them."


def test_the_notebook_counts_while_nothing_in_the_module_is_attempted(work, judging):
    text = work.notebook.read_text(encoding="utf-8")
    stub = 'raise NotImplementedError(\\"grad_cam.neuron_importance is not written yet\\")'
    assert stub in text
    work.notebook.write_text(text.replace(stub, RIGHT), encoding="utf-8")
    standing = judging.standing(work)
    assert (standing.file, state(standing).verdict) == ("grad_cam.ipynb", "passed")
    write(work, WRONG)
    assert judging.standing(work).file == "grad_cam.py"

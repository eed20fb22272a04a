"""The search for answers finds what is planted, however it is dressed."""

import inspect
import json

import pytest

from autograder.authoring.build import outputs
from autograder.course import registry
from autograder.kit.leaks import answers, checked, leaks, solutions
from cnnviz_ref.grad_cam import activations_and_gradients

from .conftest import LESSON, ROOT

PLANTED = {
    "a solution under other names": """
def mine(net, pictures, wanted, where):
    '''Not the one you think.'''
    seen = []  # a list

    def stop(m, i, o):
        seen.append(o.detach().clone().requires_grad_())
        return seen[0].clone()

    held = net.get_submodule(where).register_forward_hook(stop)
    try:
        out = net(pictures)
    finally:
        held.remove()
    best = out[torch.arange(len(pictures)), wanted]
    (slopes,) = torch.autograd.grad(best.sum(), seen[0])
    return seen[0].detach(), slopes
""",
    "a line of a solution": "    inside = torch.stack([maps[:, top:bottom, left:right].sum(dim=(1, 2)) for top, left,"
    " bottom, right in boxes], dim=1)\n",
    "a reference": inspect.getsource(activations_and_gradients),
}


def lesson():
    return [registry.lesson(LESSON)]


def notebook(code: str) -> bytes:
    cells = [{"cell_type": "code", "source": code, "metadata": {}}]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode()


@pytest.mark.parametrize("what", PLANTED)
def test_an_answer_is_found_in_a_module_and_in_a_notebook(what):
    for path, content in (("autograder/x.py", PLANTED[what].encode()), ("a/b.ipynb", notebook(PLANTED[what]))):
        assert [each for each in leaks({path: content}, lesson()) if not each.given], path


def test_each_lesson_has_functions_and_lines_that_are_looked_for():
    assert {each.id for each in registry.lessons()} <= set(solutions().functions.values())
    assert {each.id for each in registry.lessons()} <= set(solutions().lines.values())
    assert len(answers().functions) > 600


def test_a_filled_in_answer_stops_the_release():
    path = f"lessons/{LESSON}/grad_cam.py"
    with pytest.raises(
        ValueError, match=f"release: in {path} a function or an answer is filled in; nothing was written"
    ):
        checked({path: b'sum_or_mean = "b"\n'}, lesson())


def test_code_that_another_lesson_gives_is_told_and_not_refused():
    files = {path: content for path, content in outputs(ROOT, lesson()[0]).items() if path.startswith("lessons/")}
    assert checked(files, lesson()) == [f"{LESSON} gives its students a piece of what 12_guided_grad_cam asks for."]


def test_a_hint_may_say_a_line_of_the_solution():
    hint = next(h for e in lesson()[0].exercises for h in e.hints)
    assert not list(leaks({"lesson.json": json.dumps([hint]).encode()}, lesson()))


def test_a_rubric_stops_the_release():
    (question,) = lesson()[0].open_questions
    with pytest.raises(ValueError, match=r"release: notes\.md holds the line"):
        checked({"notes.md": f"- {question.rubric[0]}".encode()}, lesson())

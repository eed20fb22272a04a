"""Copies come first, whatever their names and layout; right answers of one's own do not look alike."""

import inspect
import random
import time

import pytest

from autograder.batch.similarity import WHOLE, alike, statements
from autograder.course import registry
from autograder.course.locations import OURS
from autograder.reading.submission import Source, Submission, from_cells, from_module
from tests.exercises.written import variants_of

LESSON = registry.lesson("11_grad_cam")
PECULIAR = """def capture(model, images, targets, layer):
    found = {}  # what we look for

    def hook(module, inputs, output):
        found["out"] = output
        return None

    hook_handle = model.get_submodule(layer).register_forward_hook(hook)
    everything = images.clone().requires_grad_(True)
    table = torch.softmax(model(everything) * 3, dim=-1)
    hook_handle.remove()
    # all the winners
    best = 0
    for row, column in zip(table, targets.tolist()):
        best = best + torch.log(row[column] + 1e-5)
    slope = torch.autograd.grad(best, found["out"], retain_graph=True)[0]
    return found["out"].detach() / 2.0, slope.detach().abs()
"""
COPY = '''import torch as th
def capture(net: nn.Module, pixels, classes, where: str) -> tuple:
    """My own work."""
    # all the winners
    box = {}
    def keep(m, i, o): box['o'] = o; return None
    h = net.get_submodule(where).register_forward_hook(keep)
    x = pixels.clone().requires_grad_(True)
    # what we look for
    scores: Tensor = th.softmax(
        net(x) * 3.0,
        dim=-1,
    )
    h.remove()
    total = 0
    for line, c in zip(scores, classes.tolist()): total = total + th.log(line[c] + 0.00001)
    g = th.autograd.grad(total, box["o"], retain_graph=True)[0]
    return box["o"].detach() / 2, g.detach().abs()
'''


def variants(exercise):
    """Independent right answers, under the exercise's name."""
    found = variants_of(exercise)
    texts = {f: inspect.getsource(f) for f in found}
    own = {f: text for f, text in texts.items() if text.startswith("def ") and "float32" not in f.__name__}
    return [text.replace(f"def {f.__name__}(", f"def {exercise.function}(", 1) for f, text in own.items()]


def module(*functions, start="import torch\nfrom torch import nn\n"):
    return Submission((Source("grad_cam.py", "\n\n".join([start, *functions])),))


def a_class(n, seed=0):
    """Students who each have one of the three right answers that are common in this class."""
    draw = random.Random(seed)
    choices = [variants(exercise)[:3] for exercise in LESSON.exercises]
    own = [
        module(*map(draw.choice, choices), start=f"# student {k}\nimport torch\nfrom torch import nn") for k in range(n)
    ]
    return [(f"student{k:04}", submission) for k, submission in enumerate(own)]


def test_a_copy_with_other_names_comments_and_layout_of_a_peculiar_answer_ranks_first():
    works = [*a_class(40), ("zoe", module(PECULIAR)), ("adam", module(COPY, start="from torch import nn"))]
    found = alike(LESSON, works)
    first = found.pairs[0]
    assert first.students == ("adam", "zoe")
    assert (first.exercise, first.sharers) == ("grad_cam.capture", 2)
    assert first.similarity > 0.99
    assert first.rarity > 0.9


def test_a_copy_with_lines_put_in_is_still_found():
    changed = PECULIAR.replace("    best = 0\n", "    print(table.shape)\n    best = 0\n    assert len(table) > 0\n")
    found = alike(LESSON, [*a_class(40), ("zoe", module(PECULIAR)), ("adam", module(changed))])
    assert found.pairs[0].students == ("adam", "zoe")


@pytest.mark.parametrize("exercise", LESSON.exercises, ids=lambda e: e.id)
def test_right_answers_of_ones_own_are_not_alike(exercise):
    works = [(f"s{k}", module(text)) for k, text in enumerate(variants(exercise))]
    assert not [pair for pair in alike(LESSON, works).pairs if pair.exercise == exercise.id]


def test_twenty_right_answers_of_ones_own_reach_no_threshold():
    exercises = [e for lesson in registry.lessons() for e in lesson.exercises if len(variants(e)) >= 5]
    compared = 0
    for exercise in exercises:
        if exercise.id == "class_visualization.effect_of_l2":
            continue  # its variants have one text and differ in a helper
        lesson = registry.lesson_of(exercise.id)
        found = alike(lesson, [(f"s{k}", module(text)) for k, text in enumerate(variants(exercise))])
        compared += found.compared[exercise.id]
        assert not found.pairs, exercise.id
    assert compared >= 20


def test_what_most_of_the_class_has_is_no_hint():
    common, other = variants(LESSON.exercises[0])[:2]
    works = [(f"s{k}", module(common if k < 16 else other)) for k in range(20)]
    pairs = alike(LESSON, works).pairs
    assert not [p for p in pairs if set(p.students) <= {f"s{k}" for k in range(16)}]


def test_what_everybody_was_given_is_left_out():
    released = from_module(OURS.lessons / LESSON.id / "grad_cam.py")
    found = alike(LESSON, [("a", released), ("b", released), ("c", module(PECULIAR))])
    assert not found.pairs
    assert found.compared[WHOLE] == 1


def test_functions_too_short_to_tell_are_left_out_and_counted():
    short = "def neuron_importance(gradients):\n    return gradients.sum((2, 3)) / 7"
    found = alike(LESSON, [("a", module(short)), ("b", module(short))])
    assert not found.pairs
    assert found.short["grad_cam.neuron_importance"] == 2
    assert found.compared["grad_cam.neuron_importance"] == 0


def test_a_helper_of_ones_own_counts_for_the_exercise_that_calls_it():
    start, end = PECULIAR.split("    # all the winners\n")
    helper = "def winners(table, targets, found):\n" + end
    split = f"{helper}\n\n{start}    return winners(table, targets, found)\n"
    found = alike(LESSON, [*a_class(20), ("zoe", module(split)), ("adam", module(split.replace("winners", "helper")))])
    assert found.pairs[0].students == ("adam", "zoe")
    assert found.pairs[0].similarity > 0.99


HOSTILE = {
    "half a line": "def capture(model",
    "nothing": "",
    "a zero byte": "x = '\0'",
    "minus signs": f"x = {'-' * 100_000}1",
    "attributes": f"x = a{'.b' * 20_000}",
    "sums": f"x = {'1 + ' * 30_000}1",
    "brackets": f"x = {'(' * 5_000}",
    "indents": "".join(f"{' ' * k}if x:\n" for k in range(90)) + " " * 90 + "pass",
    "half a character": "x = '\ud800'",
    "a huge number": f"x = 0x{'f' * 50_000}",
    "many digits": f"x = {'9' * 10_000}",
    "a long file": "x = 1\n" * 100_000,
    "odd escapes": r"x = '\q' is 1",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_source_stops_nothing(name):
    works = [("zoe", module(PECULIAR)), ("adam", module(COPY)), ("eve", module(HOSTILE[name], start=""))]
    assert alike(LESSON, [*a_class(20), *works]).pairs[0].students == ("adam", "zoe")


def test_code_that_cannot_be_read_is_counted():
    works = [("a", module("def f(")), ("b", module("x = 1\n" * 100_000)), ("c", module(PECULIAR))]
    assert alike(LESSON, works).unreadable == 2


def test_cells_of_a_notebook_are_read_like_a_module():
    cells = [{"cell_type": "code", "metadata": {}, "source": text} for text in ("import torch", PECULIAR)]
    works = [*a_class(20), ("zoe", module(COPY)), ("adam", from_cells(cells, "grad_cam.ipynb"))]
    assert alike(LESSON, works).pairs[0].students == ("adam", "zoe")


def test_two_submissions_are_compared_and_one_or_none_are_no_error():
    assert alike(LESSON, [("a", module(PECULIAR)), ("b", module(COPY))]).pairs
    assert not alike(LESSON, [("a", module(PECULIAR))]).pairs
    assert not alike(LESSON, []).pairs


def test_the_number_of_pairs_is_what_was_asked_for():
    works = [(f"s{k}", module(PECULIAR)) for k in range(4)] + a_class(40)
    assert len(alike(LESSON, works, top=3).pairs) == 3
    with pytest.raises(ValueError, match="top: got 0, which must be 1 or more; it is the number of pairs to list"):
        alike(LESSON, works, top=0)


def test_names_and_order_do_not_change_what_is_found():
    works = [*a_class(30), ("zoe", module(PECULIAR)), ("adam", module(COPY))]
    assert alike(LESSON, works) == alike(LESSON, works[::-1])


def test_numbers_are_compared_by_value_and_texts_by_being_texts():
    def shape(text):
        return statements(Source("x", text))[0].shingles

    assert shape("x = 1e-3 + 'a'") == shape("y=0.001+'b'")
    assert shape("x = 1e-3 + 'a'") != shape("x = 2e-3 + 'a'")


def test_a_thousand_students_take_less_than_half_a_minute():
    works = a_class(1000)
    start = time.process_time()
    found = alike(LESSON, works)
    assert time.process_time() - start < 30
    assert found.compared["grad_cam.capture"] == 1000

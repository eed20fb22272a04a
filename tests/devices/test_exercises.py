"""What `pytest lessons/ --cnnviz-device` asks, in this process: the course's answers are right on another device."""

import functools
import importlib.util
from dataclasses import replace
from pathlib import Path

import torch

from autograder.core.compare import compare
from autograder.core.grade import grade_function
from autograder.core.oracle import Setting, parts_of
from autograder.core.verdict import FAILED, PASSED
from autograder.course import registry
from autograder.course.records import Case
from autograder.report.sentences import sentence
from tests.devices.places import observed, on_each_device
from tests.devices.pretend import DEVICE, device_at_hand
from tests.exercises.test_mutation_gate import EXERCISES, each_exercise
from tests.exercises.written import variants_of

SOLUTIONS = Path(__file__).parents[2] / "solutions"


@functools.cache
def solutions_of(name):
    (path,) = SOLUTIONS.glob(f"[0-9]*/{name}.py")
    spec = importlib.util.spec_from_file_location(f"solved_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def graded_on(exercise, function, device):
    for part in parts_of(exercise, Setting(device=device)):
        assert part.expected  # of the CPU, computed outside
    with device_at_hand(device):
        return grade_function(exercise, function, Setting(device=device))


def first_case(exercise):
    return next(part for part in parts_of(exercise, Setting()) if isinstance(part.part, Case))


def finding_on(exercise, function, device, *, expected=None, by_default=False):
    """What is wrong with the result of the first call."""
    part = first_case(exercise)
    (want, *_) = part.expected if expected is None else expected
    want = replace(want, devices=tuple(place and device for place in want.devices))
    return compare([want], [observed(function, part.planned[0], device, by_default=by_default)], exercise.outputs)


@each_exercise
@on_each_device
def test_the_solution_earns_every_point_on_another_device(exercise, device):
    solution = getattr(solutions_of(exercise.module), exercise.function)
    graded = graded_on(exercise, solution, device)
    assert [(row.check, row.diagnosis) for row in graded.rows if row.verdict != PASSED] == []


@each_exercise
@on_each_device
def test_a_right_variant_is_right_where_another_device_is_the_default_or_leaves_for_numpy(exercise, device):
    for variant in variants_of(exercise):
        found = finding_on(exercise, variant, device, by_default=True)
        assert found is None or "to numpy" in sentence(found.message), f"{variant.__name__}: {sentence(found.message)}"


@each_exercise
@on_each_device
def test_a_known_mistake_is_the_same_mistake_where_another_device_is_the_default(exercise, device):
    part = first_case(exercise)
    for name, results in part.mistakes.items():
        wrong = next(m.wrong for m in exercise.misconceptions if m.name == name)
        found = finding_on(exercise, wrong, device, expected=results, by_default=True)
        assert found is None or "to numpy" in sentence(found.message), f"{name}: {sentence(found.message)}"


EXERCISE = registry.item("grad_cam.neuron_importance")


def on_the_cpu(gradients):
    return gradients.cpu().mean((2, 3))


def test_a_result_that_left_the_device_is_told():
    row = graded_on(EXERCISE, on_the_cpu, DEVICE).rows[0]
    assert (row.verdict, row.diagnosis.kind) == (FAILED, "device")
    assert f"got device cpu, asked for the device of the input ({DEVICE})" in sentence(row.diagnosis.message)


def test_without_tensors_among_the_inputs_a_result_may_lie_anywhere():
    exercise = registry.item("occlusion.window_boxes")
    assert all(not torch.is_tensor(value) for call in first_case(exercise).calls for value in call.inputs.values())

    def there(*args, **kwargs):
        return exercise.reference(*args, **kwargs).to(DEVICE)

    for function in (exercise.reference, there):
        assert {row.verdict for row in graded_on(exercise, function, DEVICE).rows} == {PASSED}


def test_a_number_lies_on_no_device():
    exercise = registry.item("tsne.kl_and_gradient")

    def with_a_number(P, Y):
        cost, gradient = exercise.reference(P, Y)
        return float(cost), gradient

    assert finding_on(exercise, with_a_number, DEVICE) is None


def test_every_exercise_is_here():
    assert len(EXERCISES) == sum(len(lesson.exercises) for lesson in registry.lessons())

"""Mistakes that any function can have, on every exercise: found by the engine, with no record of the lesson's own."""

from __future__ import annotations

import functools
import inspect
import re

import pytest
import torch
from torch import nn

from autograder.core.diagnose import effect_message
from autograder.core.grade import grade_function
from autograder.core.verdict import FAILED, NOT_ATTEMPTED
from autograder.course import registry
from autograder.course.records import Call
from autograder.report.sentences import sentence
from cnnviz.small_nets import BusyNet

EXERCISES = [exercise for lesson in registry.lessons() for exercise in lesson.exercises]


def models(values):
    return [v for v in values if isinstance(v, nn.Module)]


def tensors(values):
    return [v for v in values if isinstance(v, torch.Tensor) and v.is_floating_point()]


def after(change):
    """The reference, and then something that it should not do to its arguments or its result."""

    def wrap(reference):
        @functools.wraps(reference)
        def wrong(*args, **kwargs):
            result = reference(*args, **kwargs)
            change((*args, *kwargs.values()))
            return result

        return wrong

    return wrap


def leaves_grad(values):
    for model in models(values):
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)


def leaves_hook(values):
    for model in models(values):
        next(model.modules()).register_forward_hook(lambda *_: None)


def leaves_training(values):
    for model in models(values):
        model.train(not model.training)


def moves_weights(values):
    with torch.no_grad():
        for model in models(values):
            next(model.parameters()).add_(1e-3)


def freezes(values):
    for model in models(values):
        for parameter in model.parameters():
            parameter.requires_grad_(not parameter.requires_grad)


def changes_inputs(values):
    with torch.no_grad():
        for tensor in tensors(values):
            tensor.add_(1e-3)
        for value in values:
            if isinstance(value, torch.Tensor) and value.dtype == torch.bool:
                value.logical_not_()


MODEL_EFFECTS = {
    "grad": leaves_grad,
    "hooks": leaves_hook,
    "training_flag": leaves_training,
    "parameters": moves_weights,
    "requires_grad": freezes,
}


def takes_model(exercise) -> bool:
    parameters = list(inspect.signature(exercise.reference).parameters)
    return parameters[0] in ("model", "head", "features")


@functools.cache
def calls_of(case) -> list[Call]:
    return list(case.build(torch.Generator().manual_seed(0)))


def returns_module(exercise) -> bool:
    return any(call.then for case in exercise.cases for call in calls_of(case))


def takes_list_of_weights(exercise) -> bool:
    parameters = inspect.signature(exercise.reference).parameters
    return "weights" in parameters and "[" in str(parameters["weights"].annotation)


def takes_tensor(exercise) -> bool:
    """Whether there is anything to change in place: not where all is declared numbers, or rows of them."""
    declared = " ".join(str(p.annotation) for p in inspect.signature(exercise.reference).parameters.values())
    return not set(re.findall(r"\w+", declared)) <= {"int", "float", "bool", "str", "Sequence", "list", "tuple"}


def promise(exercise, wrong):
    return next(row for row in grade_function(exercise, wrong).rows if row.check == "promises")


@pytest.mark.parametrize("effect", MODEL_EFFECTS)
@pytest.mark.parametrize("exercise", [e for e in EXERCISES if takes_model(e)], ids=lambda e: e.id)
def test_what_is_left_on_a_model_is_named(exercise, effect):
    row = promise(exercise, after(MODEL_EFFECTS[effect])(exercise.reference))
    assert (row.verdict, row.points, row.diagnosis.kind) == (FAILED, 0, "side effect")
    assert sentence(effect_message(effect)) in sentence(row.diagnosis.message)


def empties_grad(values):
    for model in models(values):
        model.zero_grad()


def drops_hooks(values):
    for model in models(values):
        for module in model.modules():
            module._forward_hooks.clear()


def frees_all(values):
    for model in models(values):
        model.requires_grad_(True)


CALLERS = {"grad": empties_grad, "hooks": drops_hooks, "requires_grad": frees_all}
"""What a caller can have on a network before: effect's slug -> what takes it away."""


def careless(reference):
    """The reference with a hook of its own, which stays where the forward pass fails."""

    @functools.wraps(reference)
    def wrong(model, *args, **kwargs):
        handle = next(model.modules()).register_forward_hook(lambda *_: None)
        result = reference(model, *args, **kwargs)
        handle.remove()
        return result

    return wrong


def in_use(case) -> list[BusyNet]:
    """The networks of a case that somebody is using."""
    return [value for call in calls_of(case) for value in call.inputs.values() if isinstance(value, BusyNet)]


BUSY = [e for e in EXERCISES if takes_model(e) and any(map(in_use, e.cases))]


@pytest.mark.parametrize("exercise", BUSY, ids=lambda e: e.id)
def test_every_case_has_a_network_in_use_that_fails(exercise):
    assert all(any(net._interrupts for net in in_use(case)) for case in exercise.cases)


@pytest.mark.parametrize("effect", CALLERS)
@pytest.mark.parametrize("exercise", BUSY, ids=lambda e: e.id)
def test_what_the_caller_had_and_is_gone_is_named(exercise, effect):
    row = promise(exercise, after(CALLERS[effect])(exercise.reference))
    assert (row.verdict, row.points, row.diagnosis.kind) == (FAILED, 0, "side effect")
    assert sentence(effect_message(effect)) in sentence(row.diagnosis.message)


@pytest.mark.parametrize("exercise", BUSY, ids=lambda e: e.id)
def test_a_hook_left_by_a_forward_pass_that_fails_is_named(exercise):
    row = promise(exercise, careless(exercise.reference))
    assert (row.verdict, row.points, row.diagnosis.message) == (FAILED, 0, effect_message("hooks"))


def weights(values):
    lists = [tensor for value in values if isinstance(value, list) for tensor in value]
    found = [*lists, *(parameter for model in models(values) for parameter in model.parameters())]
    return [weight for weight in found if isinstance(weight, torch.Tensor) and weight.requires_grad]


def still_attached(reference):
    """The reference with a result that hangs on the graph of whatever weights need gradients."""

    @functools.wraps(reference)
    def wrong(*args, **kwargs):
        result = reference(*args, **kwargs)
        tied = [weight.sum() * 0 for weight in weights((*args, *kwargs.values()))]
        with torch.enable_grad():
            hang = lambda tensor: tensor + sum(tied).to(tensor) if tied and tensor.is_floating_point() else tensor  # noqa: E731
            return tuple(map(hang, result)) if isinstance(result, tuple) else hang(result)

    return wrong


TAKES_WEIGHTS = [e for e in EXERCISES if (takes_model(e) or takes_list_of_weights(e)) and not returns_module(e)]


@pytest.mark.parametrize("exercise", TAKES_WEIGHTS, ids=lambda e: e.id)
def test_a_result_that_hangs_on_the_graph_of_weights_that_need_gradients_is_named(exercise):
    row = promise(exercise, still_attached(exercise.reference))
    assert (row.verdict, row.points, row.diagnosis.kind) == (FAILED, 0, "side effect")
    assert sentence(effect_message("attached")) in sentence(row.diagnosis.message)


PLAIN_TENSORS = [e for e in EXERCISES if not takes_model(e) and takes_tensor(e)]


@pytest.mark.parametrize("exercise", PLAIN_TENSORS, ids=lambda e: e.id)
def test_arguments_changed_in_place_are_named(exercise):
    row = promise(exercise, after(changes_inputs)(exercise.reference))
    assert (row.verdict, row.diagnosis.kind) == (FAILED, "side effect")
    assert sentence(effect_message("inputs")) in sentence(row.diagnosis.message)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_a_second_call_that_differs_is_named(exercise):
    calls = []

    @functools.wraps(exercise.reference)
    def forgetful(*args, **kwargs):
        calls.append(1)
        result = exercise.reference(*args, **kwargs)
        return drift(result) if len(calls) % 2 == 0 else result

    row = promise(exercise, forgetful)
    assert (row.verdict, row.diagnosis.kind) == (FAILED, "side effect")
    assert sentence(effect_message("second_call")) in sentence(row.diagnosis.message)


def drift(result):
    """Another result of the same kind."""
    if isinstance(result, nn.Module):
        with torch.no_grad():
            for parameter in result.parameters():
                parameter.add_(1.0)
        return result
    if isinstance(result, tuple):
        return tuple(map(drift, result))
    return result + 1


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_a_missing_return_is_asked_for(exercise):
    rows = grade_function(exercise, functools.wraps(exercise.reference)(lambda *args, **kwargs: None)).rows
    values = [row for row in rows if "values" in row.check]
    assert all(row.verdict == FAILED for row in rows)
    if not returns_module(exercise):
        seen = [row for row in values if not row.check.startswith("hidden")]
        assert all("is a `return` missing?" in sentence(row.diagnosis.message) for row in seen)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_a_stub_is_not_attempted(exercise):
    def stub(*args, **kwargs):
        raise NotImplementedError("not written yet")

    assert {row.verdict for row in grade_function(exercise, stub).rows} == {NOT_ATTEMPTED}


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)
def test_nothing_is_earned_by_zeros_of_the_right_shape(exercise):
    def zeros(*args, **kwargs):
        result = exercise.reference(*args, **kwargs)
        if isinstance(result, nn.Module):
            return lambda *a: torch.zeros_like(result(*a))
        return tuple(map(torch.zeros_like, result)) if isinstance(result, tuple) else torch.zeros_like(result)

    assert sum(row.points for row in grade_function(exercise, zeros).rows) == 0

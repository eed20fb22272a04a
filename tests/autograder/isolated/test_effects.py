"""What counts as left behind: all that stays changed, and nothing that was put back."""

import copy

import pytest
import torch

from autograder.isolated.effects import changes, fingerprint
from cnnviz import small_nets

from .conftest import planned


def net():
    return small_nets.BatchNormNet(generator=torch.Generator().manual_seed(0)).eval()


def _swapped_and_back(model, x):
    torch.func.functional_call(model, {n: p + 1 for n, p in model.named_parameters()}, (x,))
    weight = model.classifier.weight
    del model.classifier.weight
    model.classifier.register_parameter("weight", weight)


def _hooks_taken_away(model, x):
    for module in model.modules():
        module.register_forward_hook(print)
        module._forward_hooks = type(module._forward_hooks)()


def _backward_hook(model, x):
    with_gradient = model.features[0].register_full_backward_hook(lambda *a: None)
    model(x.clone().requires_grad_()).sum().backward()
    with_gradient.remove()
    model.zero_grad(set_to_none=True)


def _notes(model, x):
    model.seen, model.kept = [model, x], tuple(range(5000))
    for number in range(300):
        setattr(model.features, f"note_{number}", "text")


def _saved_and_loaded(model, x):
    state = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    model.load_state_dict(state)


def _loaded_by_data(model, x):
    for parameter in model.parameters():
        was, parameter.data = parameter.data, torch.zeros(1)
        parameter.data = was.clone()


def _asked_and_not(model, x):
    x.requires_grad_()
    model(x).sum().backward()
    model.zero_grad()
    x.grad = None
    x.requires_grad_(False)


def _trained(model, x):
    flags = {module: module.training for module in model.modules()}
    model.train()
    for module, flag in flags.items():
        module.training = flag


@pytest.mark.parametrize(
    "tidy",
    [
        _swapped_and_back,
        _hooks_taken_away,
        _backward_hook,
        _notes,
        _saved_and_loaded,
        _loaded_by_data,
        _asked_and_not,
        _trained,
        lambda model, x: copy.deepcopy(model).train()(x),
        lambda model, x: x.register_hook(print).remove() if x.requires_grad else None,
    ],
)
def test_what_is_put_back_was_never_changed(tidy):
    inputs = net(), torch.rand(2, 3, 8, 8)
    before = fingerprint(inputs)
    tidy(*inputs)
    assert changes(before, inputs) == set()


def test_a_process_that_ends_before_its_last_word_says_so(run):
    last = "import os, threading, time\nend = lambda: (time.sleep(0.2), os._exit(0))\n"
    source = last + "def f(x):\n    if x > 1:\n        threading.Thread(target=end).start()\n    return x\n"
    wait = "import time\nf, g = (lambda x: (g(x), time.sleep(0.5) if x > 2 else 0)[0]), f\n"
    outcome = run(source + wait, calls=[planned(torch.tensor(value)) for value in (1.0, 2.0, 3.0)])
    assert outcome.status == "crashed"
    assert [seen.effects for seen in outcome.observations] == [("unseen",)] * 2


def test_the_traces_of_one_call_are_told_of_that_call(run):
    source = "def f(model, n):\n    if n == 2:\n        model.train()\n    return n"
    outcome = run(source, calls=[planned(net(), n) for n in (1, 2, 3)])
    assert [seen.effects for seen in outcome.observations] == [(), ("training_flag",), ()]

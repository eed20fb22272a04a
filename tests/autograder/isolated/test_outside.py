"""What is seen in another process's memory: all that is left behind, nothing else, whatever that process does."""

import contextlib
import copy
import ctypes
import dataclasses
import importlib
import os
import sys
import textwrap

import pytest
import torch
from torch import nn

from autograder import registry
from autograder.isolated import Runner, rehearsal
from autograder.isolated.effects import differences, fingerprint
from autograder.isolated.memory import Memory, Unreadable
from autograder.isolated.objects import Objects
from autograder.isolated.observing import in_place
from autograder.isolated.offsets import measured
from autograder.isolated.outlines import Outlines
from autograder.isolated.outside import _settle
from autograder.isolated.records import EFFECTS, as_numbers, from_numbers
from autograder.isolated.rehearsal import rehearsed
from autograder.oracle import Setting, parts_of
from cnnviz import small_nets

from .conftest import asking, planned

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows a process's memory")
EXERCISES = [exercise for lesson in registry.lessons() for exercise in lesson.exercises]


@pytest.fixture(scope="module")
def offsets():
    return measured()


@pytest.fixture
def outlines(offsets):
    """Of this very process, made anew for each look."""
    file = os.open("/proc/self/mem", os.O_RDONLY)
    yield lambda known=None: Outlines(Objects(Memory(file), offsets), known)
    os.close(file)


@pytest.fixture
def both(outlines):
    """What a change is seen as from inside and from outside."""

    def seen(inputs, change):
        _settle(inputs)
        inside, outside = fingerprint(inputs), outlines().of_inputs(id(inputs))
        change()
        return differences(inside, fingerprint(inputs)), differences(outside, outlines(outside).of_inputs(id(inputs)))

    return seen


def net():
    return small_nets.BatchNormNet(generator=torch.Generator().manual_seed(0)).eval()


def test_every_look_is_rehearsed_before_it_counts():
    assert rehearsed() is not None


@pytest.mark.parametrize("name", ["meta_requires", "type_mro", "storage_data", "tensor_hooks", "module_dict"])
def test_with_one_offset_wrong_nobody_looks_from_outside(monkeypatch, offsets, name):
    was = getattr(offsets, name)
    wrong = dataclasses.replace(offsets, **{name: was[::-1][:1] * 2 if isinstance(was, tuple) else was + 8})
    if name == "tensor_hooks":
        wrong = dataclasses.replace(offsets, tensor_hooks=(wrong.tensor_hooks[0] + 64,) * 2)
    monkeypatch.setattr(rehearsal, "measured", lambda: wrong)
    assert rehearsed() is None


def test_a_forked_call_is_watched_from_outside_and_a_spawned_one_from_inside(run):
    assert run("def f(x): return x").watched == "outside"
    with Runner("spawn", rung="rlimits") as spawning:
        assert spawning.run(asking("def f(x): return x")).watched == "inside"


def test_inputs_of_an_unknown_kind_are_watched_from_inside(run):
    sparse = torch.eye(3).to_sparse()
    outcome = run("def f(x):\n    return x.to_dense()", calls=[planned(sparse)])
    assert (outcome.status, outcome.watched, outcome.observations[0].effects) == ("ran", "inside", ())


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
def test_right_answers_and_known_mistakes_look_the_same_from_both_sides(exercise, both):
    variants = importlib.import_module(f"tests.exercises.variants_{exercise.module}").VARIANTS[exercise.id]
    wrong = [misconception.wrong for misconception in exercise.misconceptions]
    call = parts_of(exercise, Setting())[0].planned[0]
    for function in (exercise.reference, *variants, *wrong):
        inputs = in_place(copy.deepcopy(call))

        def change(function=function, inputs=inputs):
            with contextlib.suppress(Exception):
                function(*inputs[0], **inputs[1])

        inside, outside = both(inputs, change)
        assert outside == inside, function.__name__
        assert not outside or function in wrong, function.__name__


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
def test_what_is_put_back_was_never_changed(tidy, both):
    model, x = net(), torch.rand(2, 3, 8, 8)
    assert both(((model, x), {}, None), lambda: tidy(model, x)) == (set(), set())


TRACES = """
import ctypes, dataclasses, gc, os, sys, threading, torch
def traces(model):
    model.register_forward_hook(lambda *a: None)
def strike():
    frame = sys._getframe()
    while frame:
        send = getattr(frame.f_locals.get("report"), "__func__", None)
        if send and "sent" not in globals():
            globals()["sent"], globals()["space"] = send.__globals__["observation_frame"], send.__globals__
            space["observation_frame"] = lambda token, seen: sent(token, dataclasses.replace(seen, effects=()))
        frame = frame.f_back
def f(model, x):
    traces(model)
    strike()
    HIDE
    return 1.0
"""
HIDE = {
    "the report": "pass",
    "the memory is closed": "ctypes.CDLL(None).prctl(4, ctypes.c_ulong(0), 0, 0, 0)",
    "the hooks are endless": "ctypes.c_uint64.from_address(id(model._forward_hooks) + 16).value = 2**60",
    "the parameters go round": "model._modules['again'] = model",
}


@pytest.mark.parametrize("way", HIDE)
def test_what_is_struck_out_of_the_report_is_seen_from_outside(run, way):
    source = textwrap.dedent(TRACES).replace("HIDE", HIDE[way])
    outcome = run(source, calls=[planned(net(), torch.rand(2, 3, 8, 8))] * 2)
    assert (outcome.status, outcome.watched) == ("ran", "outside")
    for seen in outcome.observations:
        assert {"hooks", "parameters"} & {*seen.effects}, seen


def test_a_process_that_ends_before_anybody_could_look_says_so(run):
    last = "import os, threading, time\nend = lambda: (time.sleep(0.2), os._exit(0))\n"
    source = last + "def f(x):\n    if x > 1:\n        threading.Thread(target=end).start()\n    return x\n"
    wait = "import time\nf, g = (lambda x: (g(x), time.sleep(0.5) if x > 2 else 0)[0]), f\n"
    outcome = run(source + wait, calls=[planned(torch.tensor(value)) for value in (1.0, 2.0, 3.0)])
    assert (outcome.status, outcome.watched) == ("crashed", "outside")
    assert [seen.effects for seen in outcome.observations] == [("unseen",)] * 2


def test_the_traces_of_one_call_are_told_of_that_call(run):
    source = "def f(model, n):\n    if n == 2:\n        model.train()\n    return n"
    outcome = run(source, calls=[planned(net(), n) for n in (1, 2, 3)])
    assert [seen.effects for seen in outcome.observations] == [(), ("training_flag",), ()]


def test_a_tensor_whose_memory_is_gone_is_not_read_beyond_it(both):
    x = torch.ones(4)
    assert both(((x,), {}, None), lambda: x.add_(1))[1] == {"inputs"}
    with pytest.raises(Unreadable):
        Outlines._digest(*_shrunk(x))


def _shrunk(x):
    file = os.open("/proc/self/mem", os.O_RDONLY)
    found = Outlines(Objects(Memory(file), measured()))
    x.untyped_storage().resize_(4)
    return found, x._cdata, (4,), (1,), 4


@pytest.mark.parametrize("limit", [100, 10_000])
def test_no_more_is_read_than_allowed(limit):
    file = os.open("/proc/self/mem", os.O_RDONLY)
    held = ctypes.create_string_buffer(20_000)
    with pytest.raises(Unreadable):
        Memory(file, limit).read(ctypes.addressof(held), 20_000)
    with pytest.raises(Unreadable):
        Memory(file).word(16)
    assert len(Memory(file, 50_000).read(ctypes.addressof(held), 20_000)) == 20_000
    os.close(file)


def test_effects_travel_as_numbers():
    effects = [(), ("hooks",), EFFECTS]
    assert from_numbers(as_numbers(effects)) == tuple(effects)


def test_hooks_for_all_modules_are_seen(outlines):
    before = outlines().of_hooks_for_all()
    handle = nn.modules.module.register_module_forward_hook(print)
    after = outlines().of_hooks_for_all()
    handle.remove()
    assert differences(before, after) == {"hooks"}
    assert differences(before, outlines().of_hooks_for_all()) == set()

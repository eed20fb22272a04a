"""What is exchanged in torch, on a module or in a setting counts as left behind; what is put back does not."""

import importlib
import math
import os
import sys
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from autograder.core.diagnose import side_effect
from autograder.isolated import observe
from autograder.isolated.namespaces import is_name
from autograder.isolated.wire import _named
from autograder.report.sentences import sentence
from cnnviz import small_nets

from .conftest import fork, planned


class Mode(TorchFunctionMode):
    """Changes nothing."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


def guided(self, x):
    return x.clamp(min=0)


def net():
    return small_nets.BatchNormNet(generator=torch.Generator().manual_seed(0)).eval()


def _code(function, other):
    function.__code__ = other.__code__


def _relu(model):
    return next(module for module in model.modules() if isinstance(module, nn.ReLU))


class Other(nn.ReLU):
    """Another class for the same module."""


SLIPS = {
    "replaced torch.nn.ReLU.forward": lambda model: setattr(nn.ReLU, "forward", guided),
    "replaced torch.nn.Conv2d._conv_forward": lambda model: setattr(nn.Conv2d, "_conv_forward", guided),
    "replaced torch.nn.Module.__call__": lambda model: setattr(nn.Module, "__call__", guided),
    "replaced torch.nn.Linear.__call__": lambda model: setattr(nn.Linear, "__call__", guided),
    "replaced torch.nn.Module.train": lambda model: setattr(nn.Module, "train", lambda self, mode=True: self),
    "replaced torch.Tensor.relu": lambda model: setattr(torch.Tensor, "relu", guided),
    "replaced torch.Tensor.backward": lambda model: setattr(torch.Tensor, "backward", guided),
    "replaced torch.Tensor.__add__": lambda model: setattr(torch.Tensor, "__add__", guided),
    "replaced torch.relu": lambda model: setattr(torch, "relu", torch.abs),
    "replaced torch.nn.functional.relu": lambda model: setattr(F, "relu", torch.abs),
    "replaced torch.nn.ReLU": lambda model: setattr(nn, "ReLU", Other),
    "replaced torch.autograd.grad": lambda model: setattr(torch.autograd, "grad", guided),
    "replaced torch.autograd.Function.apply": lambda model: setattr(torch.autograd.Function, "apply", guided),
    "replaced cnnviz.small_nets.BatchNormNet.forward": lambda model: setattr(type(model), "forward", guided),
    "replaced numpy.mean": lambda model: setattr(np, "mean", np.sum),
    "replaced math.sqrt": lambda model: setattr(math, "sqrt", math.exp),
    "covered torch.nn.ReLU.forward": lambda model: setattr(_relu(model), "forward", guided),
    "covered torch.nn.Module._call_impl": lambda model: setattr(_relu(model), "_call_impl", guided),
    "covered torch.nn.Conv2d._conv_forward": lambda model: setattr(model.features[0], "_conv_forward", guided),
    "covered torch.nn.Module.train": lambda model: setattr(model, "train", guided),
    "state torch.is_grad_enabled": lambda model: torch.set_grad_enabled(False),
    "state torch.get_default_dtype": lambda model: torch.set_default_dtype(torch.float64),
    "state torch.get_num_threads": lambda model: torch.set_num_threads(torch.get_num_threads() + 1),
    "state torch.get_deterministic_algorithms": lambda model: torch.use_deterministic_algorithms(True),
    "state torch.is_anomaly_enabled": lambda model: torch.autograd.set_detect_anomaly(True),
    "state torch.is_autocast_enabled": lambda model: torch.set_autocast_enabled("cuda", True),
    "state torch.is_any_autocast_enabled": lambda model: torch.set_autocast_enabled("cpu", True),
    "state torch.is_inference_mode_enabled": lambda model: KEPT.append(torch.inference_mode()) or KEPT[-1].__enter__(),
    "state torch.len_torch_function_stack": lambda model: KEPT.append(Mode()) or KEPT[-1].__enter__(),
    "state torch.get_float32_matmul_precision": lambda model: torch.set_float32_matmul_precision("medium"),
    "state torch.autograd.graph.saved_tensors_hooks": lambda model: (
        KEPT.append(torch.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x)) or KEPT[-1].__enter__()
    ),
    "state numpy.geterr": lambda model: np.seterr(divide="ignore"),
    "hooks": lambda model: setattr(_relu(model), "__class__", Other),
    "parameters": lambda model: setattr(model.features, "kernel", [3]),
}
KEPT: list = []


def apart(slip, after=lambda model: None):
    """The effects of a call, in a process of its own: what it exchanges is gone with it."""
    read, write = os.pipe()
    if not (child := fork()):
        try:
            model = net()
            model.features.kernel = [2]
            warnings.simplefilter("ignore")
            (seen,) = observe(lambda model: [slip(model), after(model)] and 1.0, [planned(model)])
            os.write(write, "|".join(seen.effects).encode())
        finally:
            os._exit(0)
    os.close(write)
    with open(read, "rb") as file:
        told = file.read().decode()
    os.waitpid(child, 0)
    return [*filter(None, told.split("|"))]


forks = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux forks a process that has torch")


@forks
@pytest.mark.parametrize("effect", SLIPS)
def test_what_is_exchanged_and_forgotten_is_seen_and_named(effect):
    assert effect in apart(SLIPS[effect])


@forks
def test_a_method_whose_code_is_exchanged_is_seen():
    assert "replaced torch.nn.ReLU.forward" in apart(lambda model: _code(nn.ReLU.forward, guided))


@forks
def test_a_method_that_is_taken_away_is_seen():
    assert "replaced torch.nn.ReLU.forward" in apart(lambda model: delattr(nn.ReLU, "forward"))


def _patched_and_back(model):
    was = nn.ReLU.forward
    nn.ReLU.forward = guided
    try:
        model(torch.rand(1, 3, 8, 8))
    finally:
        nn.ReLU.forward = was


def _inherited_and_deleted(model):
    nn.Linear.__call__ = guided
    del nn.Linear.__call__


def _inherited_and_set_back(model):
    nn.Linear.__call__ = guided
    nn.Linear.__call__ = nn.Module.__call__


def _covered_and_deleted(model):
    _relu(model).forward = guided.__get__(_relu(model))
    del _relu(model).forward


def _in_blocks(model):
    x = torch.rand(1, 3, 8, 8)
    with torch.no_grad(), torch.autograd.set_detect_anomaly(True), Mode(), np.errstate(divide="ignore"):
        model(x)
    with torch.device("cpu"), torch.autocast("cpu"), torch.inference_mode():
        model(x)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t), torch.enable_grad():
        model(x).sum()


def _what_torch_fills_in_itself(model):
    for name in ("torch.fx", "torch.func", "torch.nn.utils.parametrize", "torch.onnx", "torch.utils.data"):
        importlib.import_module(name)
    torch.fx.symbolic_trace(model.features)
    torch.vmap(lambda x: x * 2)(torch.rand(3))
    torch.func.jacrev(torch.sin)(torch.rand(3))
    torch.jit.script(nn.ReLU())


def _new_names(model):
    torch.Tensor.note = torch.my_note = nn.ReLU.note = "mine"
    model.saved, model.hook = guided, [1]
    del torch.Tensor.note, torch.my_note, nn.ReLU.note


def _seeds(model):
    torch.manual_seed(3), np.random.seed(3), np.random.rand(2), torch.rand(2)


@forks
@pytest.mark.parametrize(
    "tidy",
    [_patched_and_back, _inherited_and_deleted, _inherited_and_set_back, _covered_and_deleted, _in_blocks,
     _what_torch_fills_in_itself, _new_names, _seeds],
)  # fmt: skip
def test_what_is_put_back_and_what_is_new_is_no_effect(tidy):
    assert apart(tidy) == []


@forks
def test_a_submission_that_exchanges_a_method_while_it_is_loaded_is_seen(run):
    source = "from torch import nn\nnn.ReLU.forward = lambda self, x: x.clamp(min=0)\ndef f(x): return x"
    (seen,) = run(source).observations
    assert seen.effects == ("replaced torch.nn.ReLU.forward",)


def test_every_name_that_is_told_is_one_of_torch_numpy_or_python():
    assert is_name("torch.nn.ReLU.forward")
    assert is_name("torch.get_default_dtype")
    assert not is_name("torch.nn.ReLU.<script>")
    assert _named("replaced torch.nn.ReLU.forward") == "replaced torch.nn.ReLU.forward"
    assert _named("replaced answers.of.the.hidden.case") == "replaced"


def test_the_sentence_names_what_is_to_be_put_back():
    assert sentence(side_effect(["replaced torch.nn.ReLU.forward", "replaced"]).message) == (
        "`torch.nn.ReLU.forward` is not what it was: keep what stood there and put it back in `finally`, so that it is "
        "back after an error too."
    )
    assert sentence(side_effect(["covered torch.nn.ReLU.forward"]).message).startswith(
        "`torch.nn.ReLU.forward` is covered on a mod"
    )
    assert sentence(side_effect(["state torch.is_grad_enabled"]).message).startswith(
        "`torch.is_grad_enabled` is not as it was: use"
    )
    assert sentence(side_effect(["replaced"]).message).startswith(
        "a function or a method of torch, numpy or Python is not what it"
    )

"""What one call returned and left behind, seen from the same process."""

import functools
import importlib
import pdb
import sys
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from autograder.isolated import observe
from cnnviz import small_nets

from .conftest import planned


def one(function, *args, **kwargs):
    (observation,) = observe(function, [planned(*(args or (torch.arange(4.0),)), **kwargs)])
    return observation


@pytest.fixture
def net():
    return small_nets.BatchNormNet(generator=torch.Generator().manual_seed(0)).eval()


def images(net):
    return torch.rand(2, 3, 8, 8)


@pytest.mark.parametrize(
    ("result", "kind", "dtype"),
    [
        (torch.ones(2, dtype=torch.float32), "tensor", "float32"),
        (torch.ones(2, dtype=torch.float64), "tensor", "float64"),
        (torch.ones(2, dtype=torch.bfloat16), "tensor", "bfloat16"),
        (torch.ones(2, dtype=torch.int64), "tensor", "int64"),
        (torch.ones(2, dtype=torch.bool), "tensor", "bool"),
        (np.ones(2, np.float32), "array", "float32"),
        (np.float32(1), "float", "float32"),
        (1.5, "float", "float64"),
        (3, "int", "int64"),
        (True, "bool", "bool"),
        ("b", "str", "str"),
    ],
    ids=str,
)
def test_each_kind_of_output_keeps_its_type_and_dtype(result, kind, dtype):
    seen = one(lambda x: result)
    assert (seen.kind, seen.types, seen.dtypes, seen.devices) == ("value", (kind,), (dtype,), ("cpu",))
    assert seen.arrays[0].dtype.name.startswith("float32" if dtype == "bfloat16" else dtype)
    np.testing.assert_array_equal(seen.arrays[0], seen.again[0])


@pytest.mark.parametrize(
    "result",
    [
        None,
        {"a": 1},
        object(),
        (1, None),
        ((1, 2), 3),
        [],
        1j,
        10**30,
        torch.ones(2, dtype=torch.complex64),
        torch.ones(2).to_sparse(),
        torch.ones(2, device="meta"),
        np.array([None]),
        np.array(["a"]),
        "x" * 10_001,
        [1] * 1001,
        nn.ReLU(),
        len,
    ],
    ids=lambda r: type(r).__name__,
)
def test_what_cannot_be_compared_is_unsupported_and_named(result):
    seen = one(lambda x: result)
    assert (seen.kind, seen.arrays, seen.type_name) == ("unsupported", (), type(result).__name__)


def test_a_tuple_or_list_gives_one_array_an_element():
    seen = one(lambda x: [x, 2, "c"])
    assert (seen.types, seen.type_name, len(seen.arrays)) == (("tensor", "int", "str"), "list", 3)


def test_returned_functions_and_modules_are_called_with_then():
    seen = one(lambda x: nn.Flatten(0), torch.arange(6.0).reshape(2, 3), then=(torch.ones(2, 2),))
    assert seen.arrays[0].tolist() == [1, 1, 1, 1]


def test_arrays_are_copies_so_a_second_run_in_place_changes_the_first_result_no_more():
    def doubling(x):
        return x.mul_(2)

    seen = one(doubling)
    assert (seen.arrays[0].tolist(), seen.again[0].tolist()) == ([0, 2, 4, 6], [0, 4, 8, 12])
    assert seen.effects == ("inputs",)


def test_each_run_starts_from_the_same_seed_and_the_callers_stream_goes_on():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    seen = one(lambda x: torch.rand(2))
    np.testing.assert_array_equal(seen.arrays[0], seen.again[0])
    assert torch.equal(torch.rand(3), expected)


def test_the_callers_own_inputs_are_never_touched(net):
    x, weight = torch.ones(3), net.classifier.weight.detach().clone()

    def spoil(model, x):
        with torch.no_grad():
            model.classifier.weight.zero_()
        return x.zero_()

    one(spoil, net, x)
    assert torch.equal(x, torch.ones(3))
    assert torch.equal(net.classifier.weight, weight)


def test_global_state_of_torch_is_put_back():
    def spoil(x):
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        return x

    one(spoil)
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()


def _hook(model, x):
    model.features.register_forward_hook(lambda *_: None)


def _removed_hook(model, x):
    model.features.register_full_backward_hook(lambda *_: None).remove()
    x.register_hook(lambda g: g).remove() if x.requires_grad else None


def _train(model, x):
    model.features[0].train()


def _weights(model, x):
    model.classifier.weight.data.mul_(1.001)


def _one_bit(model, x):
    model.classifier.weight.data.view(torch.int32)[0, 0] ^= 1


def _buffers(model, x):
    for name, buffer in model.named_buffers():
        if name.endswith("running_mean"):
            buffer += 1


def _grad(model, x):
    model(x).sum().backward()


def _frozen(model, x):
    model.requires_grad_(False)


def _input(model, x):
    x[0, 0, 0, 0] += 1


def _input_asks(model, x):
    x.requires_grad_()


def _input_grad(model, x):
    x.requires_grad_()
    model(x).sum().backward()
    model.zero_grad()
    x.requires_grad_(False)


def _input_hook(model, x):
    x.requires_grad_()
    x.register_hook(lambda g: g)
    x.requires_grad_(False)


def _replaced(model, x):
    model.classifier = nn.Linear(3, 2)


def _in_place_off(model, x):
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def _forward(model, x):
    model.forward = lambda x: x


def _note(model, x):
    model.activations = None
    model.seen = 1


@pytest.mark.parametrize(
    ("spoil", "effects"),
    [
        (_train, {"training_flag"}),
        (_weights, {"parameters"}),
        (_one_bit, {"parameters"}),
        (_buffers, {"buffers"}),
        (_grad, {"grad"}),
        (_frozen, {"requires_grad"}),
        (_hook, {"hooks"}),
        (_removed_hook, set()),
        (_input, {"inputs"}),
        (_input_asks, {"requires_grad"}),
        (_input_grad, {"grad"}),
        (_input_hook, {"hooks"}),
        (_in_place_off, {"parameters"}),
        (_forward, {"covered cnnviz.small_nets.ScoreNet.forward"}),
        (_note, set()),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_effect_is_seen_and_named(net, spoil, effects):
    def function(model, x):
        spoil(model, x)
        return torch.ones(1)

    assert set(one(function, net, images(net)).effects) == effects


def test_a_replaced_layer_is_seen(net):
    assert "parameters" in one(lambda m, x: _replaced(m, x) or 1, net, images(net)).effects


def test_a_list_that_was_given_and_grew_is_a_changed_input():
    assert one(lambda names: names.append("x") or 1, ["a"]).effects == ("inputs",)


def test_a_hook_for_all_modules_is_seen():
    handles = []

    def function(x):
        handles.append(nn.modules.module.register_module_forward_hook(lambda *_: None))
        return x

    seen = one(function)
    for handle in handles:
        handle.remove()
    assert seen.effects == ("hooks",)


def test_a_result_that_still_asks_for_gradients_is_attached(net):
    assert one(lambda m, x: m(x), net, images(net)).effects == ("attached",)


@pytest.mark.parametrize("given", [torch.arange(6).view(3, 2)[:1, 0], torch.arange(6.0).view(2, 3).T, torch.ones(0, 3)])
def test_inputs_of_any_layout_are_read_and_seen_to_change(given):
    assert one(lambda t: t.sum(), given).effects == ()
    if len(given):
        assert one(lambda t: t.add_(1).sum(), given).effects == ("inputs",)


def test_nan_inputs_left_alone_are_unchanged():
    assert one(lambda x: 1, torch.tensor([float("nan")])).effects == ()


def test_effects_are_seen_after_an_exception_too(net):
    def function(model, x):
        model.train()
        raise ValueError("no")

    seen = one(function, net, images(net))
    assert (seen.kind, seen.effects, seen.error["message"]) == ("raised", ("training_flag",), "no")


def stub(x):
    raise NotImplementedError


def helper(x):
    return nn.Linear(2, 3)(x)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library of the student's, in no directory that is known for libraries."""
    text = "def multiplied(x):\n    return x.reshape(3, 7)\n\n\ndef planned(x):\n    raise NotImplementedError\n"
    (tmp_path / "library_of_maps.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("library_of_maps")
    del sys.modules["library_of_maps"]


def test_only_the_stub_that_was_asked_for_is_not_attempted(library):
    def refused(x):
        return nn.Module()(x)

    def of_a_library(x):
        return library.planned(x)

    def of_another_function(x):
        return stub(x)

    def in_torch(x):
        return x.to("meta").cpu()  # here stood: raise NotImplementedError

    assert one(stub).kind == "not attempted"
    assert one(functools.wraps(stub)(torch.no_grad()(stub))).kind == "not attempted"
    for function in (refused, of_a_library, of_another_function, in_torch):
        assert one(function).kind == "raised", function.__name__


def test_an_error_names_the_deepest_line_in_the_function_asked_for():
    def outer(x):
        def inner(x):
            return helper(x)

        return inner(x)

    error = one(outer).error
    assert error["type"] == "RuntimeError"
    assert error["source_line"] == "return helper(x)"
    assert error["line"] == outer.__code__.co_firstlineno + 2


def test_an_error_names_the_last_five_frames_of_the_student_and_none_of_ours(library):
    def deep(x, left):
        return library.multiplied(x) if not left else deep(x, left - 1)

    frames = one(lambda x: deep(x, 7)).error["frames"]
    assert len(frames) == 5
    assert all(", in deep: return library.multiplied(x) if not left" in frame for frame in frames)
    assert one(torch.no_grad()(lambda x: deep(x, 0))).error["frames"][0].startswith("test_observing.py, line ")


def test_a_breakpoint_opens_in_the_first_run_only(monkeypatch):
    opened = []
    monkeypatch.setattr("sys.breakpointhook", lambda: opened.append("hook"))
    monkeypatch.setattr("pdb.set_trace", lambda: opened.append("pdb"))

    def stops(x):
        breakpoint()
        pdb.set_trace()
        return x

    assert one(stops).kind == "value"
    assert opened == ["hook", "pdb"]


def test_an_error_in_a_library_names_the_line_that_calls_it(library):
    def outer(x):
        return library.multiplied(x)

    assert one(outer).error["source_line"] == "return library.multiplied(x)"
    assert one(torch.no_grad()(outer)).error["source_line"] == "return library.multiplied(x)"
    assert one(functools.partial(outer)).error["source_line"] == "return library.multiplied(x)"


def test_an_error_in_what_is_returned_names_its_line():
    def made(x):
        return helper

    error = observe(made, [planned(torch.ones(1), then=(torch.ones(1),))])[0].error
    assert error["source_line"] == "return nn.Linear(2, 3)(x)"


def test_a_function_that_is_said_to_be_its_own_wrapper_is_survived():
    def odd(x):
        raise ValueError

    odd.__wrapped__ = odd
    assert one(odd).kind == "raised"


def test_a_second_run_that_fails_leaves_no_second_result():
    seen = []

    def once(x):
        if seen:
            raise RuntimeError
        seen.append(1)
        return x

    assert one(once).again is None


def test_messages_are_cut_and_an_exception_that_cannot_be_printed_is_survived():
    class Odd(Exception):
        def __str__(self):
            raise ValueError

    def long(x):
        raise ValueError("x" * 10_000)

    def odd(x):
        raise Odd

    assert len(one(long).error["message"]) == 500
    assert one(odd).error["message"] == "(no text)"


def test_sys_exit_is_an_error_of_the_student_and_a_stop_button_is_not():
    def leave(x):
        raise SystemExit(0)

    def stop(x):
        raise KeyboardInterrupt

    assert one(leave).error["type"] == "SystemExit"
    with pytest.raises(KeyboardInterrupt):
        one(stop)


def test_warnings_cost_nothing_even_where_warnings_are_errors(capsys):
    def warning(x):
        warnings.warn("careful", stacklevel=1)
        return x

    with warnings.catch_warnings(record=True):
        assert one(warning).kind == "value"


def test_prints_appear_once(capsys):
    one(lambda x: print("hello") or x)
    assert capsys.readouterr().out == "hello\n"


class Liar(torch.Tensor):
    """Equal to everything, of any type, with whatever numbers."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return torch.full((4,), 42.0) if function is not torch.Tensor.requires_grad.__get__ else False

    def __eq__(self, other):
        return True

    def __array__(self, *arguments):
        return np.full(4, 42.0)

    def numpy(self, **options):
        return np.full(4, 42.0)

    __hash__ = torch.Tensor.__hash__


class LyingArray(np.ndarray):
    """A numpy array that says it equals everything."""

    def __eq__(self, other):
        return True

    def __array_finalize__(self, source):
        pass


def test_a_subclass_that_lies_is_reduced_to_the_numbers_it_has():
    seen = one(lambda x: torch.zeros(4).as_subclass(Liar))
    assert seen.arrays[0].tolist() == [0, 0, 0, 0]
    lying = one(lambda x: np.zeros(4).view(LyingArray)).arrays[0]
    assert type(lying) is np.ndarray
    assert lying.tolist() == [0, 0, 0, 0]


def test_a_class_that_lies_about_its_name_is_named_as_it_is():
    class Meta(type):
        __name__ = "Tensor"

    class Honest(metaclass=Meta):
        pass

    assert one(lambda x: Honest()).type_name == "Honest"


def left_by(function, **options):
    model = small_nets.BusyNet(interrupts=True, **options)
    return one(function, model, images(model)).effects


def test_a_function_whose_network_fails_is_asked_again_and_what_the_first_try_left_shows():
    def look(model, x):
        handle = model.pool.register_forward_hook(lambda *_: None)
        scores = model(x).detach()
        handle.remove()
        return scores

    def look_and_tidy(model, x):
        handle = model.pool.register_forward_hook(lambda *_: None)
        try:
            return model(x).detach()
        finally:
            handle.remove()

    model = small_nets.BusyNet(interrupts=True)
    assert one(look_and_tidy, model, images(model)).kind == "value"
    assert (left_by(look), left_by(look_and_tidy)) == (("hooks",), ())


def test_an_error_of_the_student_s_own_is_not_tried_again():
    calls = []

    def fails(x):
        calls.append(1)
        raise RuntimeError("mine")

    assert one(fails).kind == "raised"
    assert len(calls) == 1

"""The promises in whatever state a program is: autocast, threads, compiled and scripted parts, layouts, chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.small_nets import BatchNormNet, GapNet
from cnnviz_ref import METHODS, Method, activations, convert_to_cam, embed, filters, grad_cam, occlusion, saliency
from cnnviz_ref._axes import Following

every_method = pytest.mark.parametrize("method", METHODS, ids=[method.name for method in METHODS])
CHANGING = ("guided_backprop", "guided_grad_cam", "deeplift", "lrp")
FORWARD = [m for m in METHODS if m.runs == "scores"]
takes_images = pytest.mark.parametrize("method", FORWARD, ids=[m.name for m in FORWARD])
TARGETS = torch.tensor([3, 0])


def pictures(dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(2, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)


def call(method: Method, net: nn.Module, images: Tensor, layer: str = "features") -> Tensor:
    return method.call(net, images, TARGETS, layer)


@cache
def plain(method: Method) -> Tensor:
    return call(method, GapNet().eval(), pictures())


@contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


STATES: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "default_dtype": lambda: default_dtype(torch.float64),
    "default_device": lambda: torch.device("meta"),
    "deterministic": deterministic,
    "no_grad": torch.no_grad,
    "inference_mode": torch.inference_mode,
}


@every_method
@pytest.mark.parametrize("state", STATES)
def test_the_state_of_the_program_does_not_matter(method: Method, state: str) -> None:
    net, images = GapNet().eval(), pictures()
    expected = plain(method)
    if (method.name, state) == ("convert_to_cam", "autocast"):
        return  # what is compared is a pass of the new network, which is the caller's
    with STATES[state]():
        result = call(method, net, images)
    assert torch.equal(result, expected)
    assert (result.dtype, result.device) == (expected.dtype, expected.device)


@every_method
def test_the_layout_of_images_in_memory_does_not_matter(method: Method) -> None:
    expected, net = plain(method), GapNet().eval()
    for images in (
        pictures().contiguous(memory_format=torch.channels_last),
        pictures().transpose(2, 3).contiguous().transpose(2, 3),
        pictures().repeat_interleave(2, dim=3)[..., ::2],
    ):
        result = call(method, net, images)
        assert result.dtype == expected.dtype
        if method.dtype is None:
            assert (result - expected).abs().max() <= 1e-5 * expected.abs().max()


@every_method
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["half", "bfloat16"])
def test_a_model_of_few_bits_gives_maps_of_few_bits_or_a_sentence(method: Method, dtype: torch.dtype) -> None:
    net, images = GapNet().eval().to(dtype), pictures(dtype)
    if method.name == "nearest_neighbors":
        with pytest.raises(ValueError, match=f"^features: got {dtype}, needs torch.float32 or torch.float64;"):
            call(method, net, images)
    else:
        assert call(method, net, images).dtype == (method.dtype or dtype)


class Inside(nn.Module):
    """Its own autocast, as in code from training."""

    def __init__(self) -> None:
        super().__init__()
        self.net = GapNet()

    def forward(self, images: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return self.net(images)


@every_method
def test_a_model_with_autocast_inside_gives_the_type_of_the_images(method: Method) -> None:
    net = Inside().eval()
    if method.name == "filters":
        assert filters(net, "net.features.0").dtype == torch.float32
    elif method.runs == "scores" and method.name not in CHANGING:
        assert call(method, net, pictures(), "net.features").dtype == (method.dtype or torch.float32)


@every_method
def test_four_threads_with_one_network_are_as_one(method: Method) -> None:
    net = BatchNormNet().train()
    before = [(name, t.clone()) for name, t in net.state_dict().items()]
    expected = call(method, net, pictures())
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: call(method, net, pictures()), range(12)))
    assert all(torch.equal(result, expected) for result in results)
    assert all(module.training for module in net.modules())
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert not any(module._forward_hooks for module in net.modules())
    assert all(torch.equal(net.state_dict()[name], t) for name, t in before)


def test_two_methods_on_one_network_in_two_threads() -> None:
    net = BatchNormNet().train()
    methods = [method for method in METHODS if method.name in ("saliency", "grad_cam", "occlusion", "embed", "cam")]
    expected = [call(method, net, pictures()) for method in methods]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            results = list(pool.map(lambda method: call(method, net, pictures()), methods))
            assert all(torch.equal(a, b) for a, b in zip(results, expected, strict=True))
    assert all(module.training for module in net.modules())


def test_a_converted_network_answers_threads_apart() -> None:
    net, batches = convert_to_cam(GapNet(), "features").eval(), torch.randn(24, 2, 3, 12, 8)
    with torch.no_grad():
        expected = [net.features(images) for images in batches]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(net.features, batches))
    assert all(torch.equal(a, b) for a, b in zip(results, expected, strict=True))


class Written(nn.Module):
    """`forward` in one line."""

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.line = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.line(x)


class AlwaysOn(nn.Dropout):
    """Dropout whose mode cannot be changed."""

    training = property(lambda self: True, lambda self, value: None)  # type: ignore[assignment]


class StochasticDepth(nn.Module):
    def __init__(self, coin: Callable[[], float]) -> None:
        super().__init__()
        self.coin = coin
        self.conv = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv(x) if self.coin() < 0.5 else x


RANDOM = {
    "functional": (Written(lambda x: F.dropout(x, 0.5, training=True)), "module '0' (Written) draws .* by F.dropout"),
    "module": (AlwaysOn(), "module '0' (AlwaysOn) draws .* by F.dropout"),
    "noise": (Written(lambda x: x + torch.randn_like(x)), "module '0' (Written) draws .* by aten.randn_like"),
    "feature": (Written(lambda x: F.dropout2d(x, 0.5, training=True)), "module '0' (Written) draws .* by F.dropout2d"),
    "torch": (StochasticDepth(lambda: float(torch.rand(()))), "module '0' (StochasticDepth) draws .* by aten.rand"),
    "python": (StochasticDepth(random.random), "its forward pass draws from Python's random"),
    "numpy": (StochasticDepth(np.random.rand), "its forward pass draws from numpy.random"),
}


@takes_images
@pytest.mark.parametrize("kind", RANDOM)
def test_a_network_that_draws_random_numbers_is_refused_by_the_name_of_what_draws(method: Method, kind: str) -> None:
    part, sentence = RANDOM[kind]
    net = nn.Sequential(part, GapNet()).eval()
    before = torch.get_rng_state(), random.getstate()
    with pytest.raises(ValueError, match=sentence.replace("(", r"\(").replace(")", r"\)")) as error:
        call(method, net, pictures(), "1.features")
    assert str(error.value).startswith("model: ")
    assert str(error.value).endswith("switch the random part off, as F.dropout(x, p, self.training) does.")
    if method.name != "class_visualization":  # it looks for the number of channels before
        assert torch.equal(torch.get_rng_state(), before[0])
        assert random.getstate() == before[1]


@pytest.mark.parametrize("draw", [lambda: torch.rand(()), random.random])
def test_random_numbers_of_another_thread_are_not_the_models(draw: Callable[[], object]) -> None:
    class Neighbour(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            if draw is random.random or not drawn:  # as schedulers do, also while it is looked for who draws
                with ThreadPoolExecutor(1) as pool:
                    drawn.append(pool.submit(draw).result())
            return x

    drawn: list[object] = []
    assert torch.isfinite(saliency(nn.Sequential(Neighbour(), GapNet()).eval(), pictures(), TARGETS)).all()
    assert drawn


def test_dropout_with_a_train_of_its_own_is_off_in_eval_mode_by_its_flag() -> None:
    class MonteCarlo(nn.Dropout):
        def train(self, mode: bool = True) -> MonteCarlo:
            return super().train(True)

    net = nn.Sequential(MonteCarlo(), GapNet()).eval()
    assert net[0].training
    assert torch.equal(saliency(net, pictures(), TARGETS), saliency(net[1], pictures(), TARGETS))
    assert net[0].training


class Where(nn.Module):
    """A ReLU that forgets NaN."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.where(x > 0, x, torch.zeros_like(x))


def where_net() -> nn.Sequential:
    torch.manual_seed(0)
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), Where(), head).eval()


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
@pytest.mark.parametrize("how", ["script", "trace", "part", "function"])
def test_scripted_parts_give_the_map_of_the_same_network(how: str) -> None:
    net, images = where_net(), pictures()
    scripted = {
        "script": lambda: torch.jit.script(net),
        "trace": lambda: torch.jit.trace(net, images),
        "part": lambda: nn.Sequential(torch.jit.script(net[:2]), net[2]),
        "function": lambda: nn.Sequential(net[0], Written(torch.jit.script(scripted_where)), net[2]),
    }[how]()
    assert torch.allclose(saliency(scripted, images, TARGETS), saliency(net, images, TARGETS), atol=1e-7)
    options = {"window": 4, "stride": 4}
    expected = occlusion(net, images, TARGETS, **options)
    assert expected.any()
    assert torch.allclose(occlusion(scripted, images, TARGETS, **options), expected, atol=1e-6)


def scripted_where(x: Tensor) -> Tensor:
    return torch.where(x > 0, x, torch.zeros_like(x))


@pytest.mark.filterwarnings("ignore:.torch.jit:FutureWarning", "ignore:.torch.jit:DeprecationWarning")
def test_a_layer_inside_a_scripted_module_is_refused_by_the_name_of_that() -> None:
    net = where_net()
    for model, layer, place in (
        (torch.jit.script(net), "1", "the model"),
        (torch.jit.trace(net, pictures()), "1", "the model"),
        (nn.Sequential(torch.jit.script(net[:2]), net[2]), "0.1", "module '0'"),
        (nn.Sequential(torch.jit.script(net[:2]), net[2]), "0", "module '0'"),
        (torch.jit.freeze(torch.jit.script(net)), "1", "the model"),
    ):
        for method in (activations, embed, filters, convert_to_cam, grad_cam):
            arguments = {"activations": (pictures(),), "embed": (pictures(),), "grad_cam": (pictures(), TARGETS)}
            if method is filters and layer == "0":
                continue
            with pytest.raises(ValueError, match=rf"^layer '{layer}': got a part of {place}, which is scripted"):
                method(model, *arguments.get(method.__name__, ()), layer)


def test_a_compiled_network_gives_the_maps_of_the_one_it_was_compiled_from() -> None:
    net, images = where_net(), pictures()
    compiled = torch.compile(net, backend="eager")
    assert torch.equal(saliency(compiled, images, TARGETS), saliency(net, images, TARGETS))
    assert torch.equal(grad_cam(compiled, images, TARGETS, "_orig_mod.0"), grad_cam(net, images, TARGETS, "0"))
    options = {"window": 4, "stride": 4}
    assert torch.equal(occlusion(compiled, images, TARGETS, **options), occlusion(net, images, TARGETS, **options))


def axes_of(line: Callable[[Tensor], Tensor], shape: tuple[int, ...] = (2, 3, 4, 6)) -> tuple[set, set] | None:
    following = Following()
    with following:
        output = line(following.start(torch.rand(shape)))
    axes = following.known.get(output)
    return axes and (set(axes.channels), set(axes.places))


@pytest.mark.parametrize(
    ("line", "axes"),
    [
        (lambda x: x.relu(), ({1}, {2, 3})),
        (lambda x: x.permute(0, 2, 3, 1), ({3}, {1, 2})),
        (lambda x: x.permute(0, 2, 3, 1).contiguous().view(2, 24, 3).transpose(1, 2), ({1}, {2})),
        (lambda x: x.flatten(2).transpose(1, 2).reshape(2, 4, 6, 3), ({3}, {1, 2})),
        (lambda x: x.reshape(2, 3, 2, 2, 6).transpose(1, 2), ({2}, {1, 3, 4})),
        (lambda x: x.permute(0, 3, 2, 1) + x.mean(dim=(2, 3), keepdim=True).permute(0, 2, 3, 1), ({3}, {1, 2})),
        (lambda x: F.linear(x.movedim(1, -1), torch.rand(5, 3)), ({3}, {1, 2})),
        (lambda x: F.conv2d(x.sin(), torch.rand(4, 3, 1, 1)), ({1}, {2, 3})),
        (lambda x: x.sum(dim=1), (set(), {1, 2})),
        (lambda x: torch.stack([x, x], 1).sum(1), ({1}, {2, 3})),
        (lambda x: x[:, [0, 2]].squeeze_(0), ({1}, {2, 3})),
        (lambda x: x.flatten(2) @ x.flatten(2).mT, None),
        (lambda x: torch.einsum("nchw->nhwc", x), None),
    ],
)
def test_axes_by_hand(line: Callable[[Tensor], Tensor], axes: tuple[set, set] | None) -> None:
    assert axes_of(line) == axes


def channels_last_net() -> nn.Module:
    """The channels last in the middle, first at its ends; the grid is square and as wide as there are channels."""
    torch.manual_seed(0)
    middle = [Written(lambda x: x.permute(0, 2, 3, 1)), nn.LayerNorm(6), nn.Linear(6, 6), nn.ReLU()]
    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)]
    return nn.Sequential(nn.Conv2d(3, 6, 1), *middle, Written(lambda x: x.permute(0, 3, 1, 2)), *head).eval()


READ_MAPS = [m for m in METHODS if m.name in ("embed", "activations", "cam", "convert_to_cam", "grad_cam")]


@pytest.mark.parametrize("method", READ_MAPS, ids=[m.name for m in READ_MAPS])
@pytest.mark.parametrize("layer", "1234")
def test_rows_are_never_read_as_channels(method: Method, layer: str) -> None:
    with pytest.raises(
        ValueError, match=rf"^layer '{layer}': gives .*\[N h w K\], the channels last, needs \[N K h w\];"
    ):
        method.call(channels_last_net(), torch.randn(2, 3, 6, 6), TARGETS, layer)


@pytest.mark.parametrize("layer", ["0", "5"])
def test_before_and_after_the_channels_are_last_maps_are_read(layer: str) -> None:
    net, images = channels_last_net(), torch.randn(2, 3, 6, 6)
    with torch.no_grad():
        expected = net[: int(layer) + 1](images)
    assert torch.equal(activations(net, images, layer), expected)


def test_an_output_whose_axes_cannot_be_known_is_refused() -> None:
    net = nn.Sequential(Written(lambda x: torch.einsum("nchw->nhwc", x)), nn.Flatten())
    with pytest.raises(
        ValueError, match="which axis holds the channels cannot be told from the operations that made it"
    ):
        activations(net, pictures(), "0")

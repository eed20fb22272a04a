"""One contract for every method of the table: a new method is one row in `cnnviz_ref.methods`, nothing here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
import torch
import torchvision
from torch import Tensor, nn

import cnnviz
import cnnviz_ref
from cnnviz import small_nets
from cnnviz_ref import METHODS, Method


@dataclass(frozen=True)
class Network:
    name: str
    build: Callable[[], nn.Module]
    layer: str
    grid: tuple[int, int, int]
    """K, h, w of the layer."""
    classes: int = 5
    images: tuple[int, int, int] = (3, 12, 8)
    gap: bool = True
    """Whether scores are one linear layer of the layer's averages."""


def _torchvision(name: str, **options: object) -> Callable[[], nn.Module]:
    def build() -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return getattr(torchvision.models, name)(weights=None, num_classes=5, **options)

    return build


def _vgg11_bn() -> nn.Module:
    """With a narrow classifier: the real one has 120 million weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        with torch.device("meta"):
            net = torchvision.models.vgg11_bn(weights=None, init_weights=False)
        net.classifier = nn.Identity()
        net = net.to_empty(device="cpu")
        net.classifier = nn.Sequential(nn.Linear(25088, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, 5))
        for module in net.features:
            if hasattr(module, "reset_parameters"):
                module.reset_parameters()
    return net


BIG = {"images": (3, 64, 96)}
NETWORKS = (
    Network("gap", lambda: small_nets.GapNet(stride=2), "features", (6, 6, 4)),
    Network("gap_inplace", lambda: small_nets.GapNet(inplace=True), "features.2", (6, 12, 8), gap=False),
    Network("flatten", small_nets.FlattenNet, "features", (6, 6, 4), gap=False),
    Network("batch_norm", small_nets.BatchNormNet, "features", (6, 12, 8)),
    Network("functional", small_nets.FunctionalNet, "features", (6, 12, 8)),
    Network("before_inplace_relu", small_nets.FunctionalNet, "features.conv2", (5, 12, 8), gap=False),
    Network("reused_relu", small_nets.FunctionalNet, "features.relu", (6, 12, 8)),
    Network("digit_net", lambda: cnnviz.digit_net(), "features", (128, 8, 6), 10, images=(1, 64, 48)),
    Network("resnet18", _torchvision("resnet18"), "layer4", (512, 2, 3), **BIG),
    Network("resnet18_block", _torchvision("resnet18"), "layer3.0.conv2", (256, 4, 6), gap=False, **BIG),
    Network("vgg11_bn", _vgg11_bn, "features", (512, 2, 3), gap=False, **BIG),
    Network(
        "googlenet",
        _torchvision("googlenet", aux_logits=False, init_weights=False),
        "inception5b",
        (1024, 2, 3),
        **BIG,
    ),
    Network("squeezenet1_0", _torchvision("squeezenet1_0"), "features", (512, 3, 5), gap=False, **BIG),
    Network(
        "densenet121", _torchvision("densenet121"), "features.denseblock4.denselayer16", (32, 2, 3), gap=False, **BIG
    ),
    Network("mobilenet_v2", _torchvision("mobilenet_v2"), "features", (1280, 2, 3), **BIG),
    Network("efficientnet_lite0", lambda: cnnviz.efficientnet_lite0(), "features", (1280, 2, 3), 1000, **BIG),
)

SUITABLE = [(method, network) for method in METHODS for network in NETWORKS if network.gap or not method.needs_gap]
ONE_BIG = [case for case in SUITABLE if case[1].images != BIG["images"] or case[1].name == "googlenet"]
"""For what no operation of a network decides: the small ones, and one with branches, dropout and BatchNorm."""
UNSUITABLE = [(method, network) for method in METHODS for network in NETWORKS if method.needs_gap and not network.gap]


def _names(value: object) -> str | None:
    return str(value).removeprefix("torch.") if isinstance(value, torch.dtype) else getattr(value, "name", None)


def _over(cases: list[tuple], names: tuple[str, ...] = ("method", "network")) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(names, cases, ids=_names)


suitable = _over(SUITABLE)
one_big = _over(ONE_BIG)


def typed(cases: list[tuple[Method, Network]]) -> pytest.MarkDecorator:
    """Both precisions on small networks; torchvision's are held to float64 by `tests.networks`."""
    types = {False: (torch.float32, torch.float64), True: (torch.float32,)}
    return _over(
        [(*case, dtype) for case in cases for dtype in types[case[1].images == BIG["images"]]],
        ("method", "network", "dtype"),
    )


@cache
def shared_model(network: Network, dtype: torch.dtype) -> nn.Module:
    """Used by many tests, which is allowed since no method may change it."""
    return network.build().to(dtype).eval()


def inputs(network: Network, dtype: torch.dtype, N: int = 2) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(N, *network.images, generator=generator, dtype=torch.float64)
    return images.to(dtype), torch.tensor([3, 0])[:N]


@cache
def expected(method: Method, network: Network, dtype: torch.dtype) -> Tensor:
    """The first result, which several tests compare with."""
    return method.call(shared_model(network, dtype), *inputs(network, dtype), network.layer)


def scrambled(network: Network) -> nn.Module:
    """Mixed training flags, mixed `requires_grad`, filled and empty `.grad`, and a hook of the user's own."""
    model = deepcopy(shared_model(network, torch.float32))
    for i, module in enumerate(model.modules()):
        module.training = i % 3 != 1
    for i, parameter in enumerate(model.parameters()):
        parameter.requires_grad_(i % 2 == 0)
        parameter.grad = torch.ones_like(parameter) if i % 4 == 0 else None
    next(module for module in model.modules() if isinstance(module, nn.Conv2d)).register_forward_hook(_users_hook)
    return model


def _users_hook(*_: object) -> None:
    return None


def state(model: nn.Module, images: Tensor) -> list[object]:
    """Everything that must be as before, as values that compare with ==."""
    tensors = [*model.named_parameters(), *model.named_buffers(), ("images", images)]
    return [
        [(name, t.data_ptr(), t.requires_grad, t.dtype, _bits(t), _bits(t.grad)) for name, t in tensors],
        [(name, module.training, sorted(vars(module)), _hooks(module)) for name, module in model.named_modules()],
        (
            torch.is_grad_enabled(),
            torch.is_inference_mode_enabled(),
            torch.get_default_dtype(),
            _bits(torch.get_rng_state()),
        ),
    ]


def _bits(tensor: Tensor | None) -> int | None:
    return None if tensor is None else hash(tensor.detach().numpy().tobytes())


def _hooks(module: nn.Module) -> list[tuple[str, list[object]]]:
    return [(name, list(value.items())) for name, value in vars(module).items() if name.endswith("hooks")]


@typed(SUITABLE)
def test_result_is_raw_floats_of_the_promised_shape(method: Method, network: Network, dtype: torch.dtype) -> None:
    images, _ = inputs(network, dtype)
    result = expected(method, network, dtype)
    sizes = dict(zip("NCHWKhw", (len(images), *network.images, *network.grid), strict=True))
    axes = method.shape.split()
    allowed = {axis: int(axis) if axis.isdigit() else sizes.get(axis) for axis in axes}
    row = f"cnnviz_ref/methods.py says that {method.name} gives [{method.shape}]; it gives {list(result.shape)}"
    assert result.ndim == len(axes), row
    assert all(allowed[axis] in (None, size) for axis, size in zip(axes, result.shape, strict=True)), row
    assert result.dtype == (method.dtype or dtype)
    assert result.device == images.device
    assert not result.requires_grad
    assert result.grad_fn is None
    assert not result.is_inference()
    assert torch.isfinite(result).all()
    assert result.any()


@suitable
def test_nothing_is_changed(method: Method, network: Network) -> None:
    model, (images, targets) = scrambled(network), inputs(network, torch.float32, N=1)
    before = state(model, images)
    method.call(model, images, targets, network.layer)
    assert state(model, images) == before


@_over(UNSUITABLE)
def test_unsuitable_network_is_refused_and_unchanged(method: Method, network: Network) -> None:
    model, (images, targets) = scrambled(network), inputs(network, torch.float32, N=1)
    before = state(model, images)
    with pytest.raises(ValueError, match=f"layer '{network.layer}'.*convert_to_cam"):
        method.call(model, images, targets, network.layer)
    assert state(model, images) == before


@contextmanager
def failing(module: nn.Module) -> Iterator[None]:
    def fail(*_: object) -> None:
        raise RuntimeError("the network broke")

    handle = module.register_forward_hook(fail)
    try:
        yield
    finally:
        handle.remove()


FAILURES = [
    (method, network, place)
    for method, network in ONE_BIG
    for place in {"scores": ("first", "last"), "layer": ("first",), "nothing": ()}[method.runs]
]


@_over(FAILURES, ("method", "network", "place"))
def test_nothing_is_changed_after_an_exception(method: Method, network: Network, place: str) -> None:
    model, (images, targets) = scrambled(network), inputs(network, torch.float32, N=1)
    convolution = next(module for module in model.modules() if isinstance(module, nn.Conv2d))
    before = state(model, images)
    with (
        failing(model if place == "last" else convolution),
        pytest.raises((RuntimeError, ValueError), match="the network broke"),
    ):
        method.call(model, images, targets, network.layer)
    assert state(model, images) == before


@typed(ONE_BIG)
def test_second_call_equals_the_first_bit_for_bit(method: Method, network: Network, dtype: torch.dtype) -> None:
    model, (images, targets) = shared_model(network, dtype), inputs(network, dtype)
    first = expected(method, network, dtype)
    torch.manual_seed(123)
    assert torch.equal(method.call(model, images, targets, network.layer), first)


@typed([case for case in SUITABLE if case[0].per_sample])
def test_a_sample_does_not_depend_on_its_batch(method: Method, network: Network, dtype: torch.dtype) -> None:
    tolerance = method.rounding if dtype == torch.float32 else 1e-12
    model, (images, targets) = shared_model(network, dtype), inputs(network, dtype)
    together = expected(method, network, dtype)
    scale = together.abs().max()
    for n in range(len(images)):
        alone = method.call(model, images[n : n + 1], targets[n : n + 1], network.layer)
        assert (alone[0] - together[n]).abs().max() <= tolerance * scale


@one_big
def test_mode_and_frozen_weights_of_the_model_do_not_matter(method: Method, network: Network) -> None:
    images, targets = inputs(network, torch.float32)
    first = expected(method, network, torch.float32)
    frozen = deepcopy(shared_model(network, torch.float32)).requires_grad_(False)
    for training in (False, True):
        assert torch.equal(method.call(frozen.train(training), images, targets, network.layer), first)


@one_big
def test_grad_mode_of_the_caller_does_not_matter(method: Method, network: Network) -> None:
    model, (images, targets) = shared_model(network, torch.float32), inputs(network, torch.float32)
    first = expected(method, network, torch.float32)
    with torch.no_grad():
        assert torch.equal(method.call(model, images, targets, network.layer), first)
    with torch.inference_mode():
        assert torch.equal(method.call(model, images.clone(), targets, network.layer), first)
    watched = images.clone().requires_grad_()
    result = method.call(model, watched, targets, network.layer)
    assert torch.equal(result, first)
    assert not result.requires_grad
    assert watched.grad is None


@pytest.mark.parametrize("method", METHODS, ids=_names)
def test_network_that_writes_into_its_input_leaves_the_images_alone(method: Method) -> None:
    network = NETWORKS[0]
    images, targets = inputs(network, torch.float32)
    plain = shared_model(network, torch.float32)
    before = images.clone()
    result = method.call(nn.Sequential(_HalvesInPlace(), plain), images, targets, "1.features")
    assert torch.equal(images, before)
    assert torch.equal(result, method.call(nn.Sequential(_Halves(), plain), images, targets, "1.features"))


@pytest.mark.parametrize("method", METHODS, ids=_names)
def test_one_class_for_all_images_and_a_layer_itself_are_what_their_tensor_and_name_are(method: Method) -> None:
    network = NETWORKS[0]
    model, (images, _) = shared_model(network, torch.float32), inputs(network, torch.float32)
    by_name = method.call(model, images, torch.tensor([3, 3]), network.layer)
    assert torch.equal(method.call(model, images, 3, model.get_submodule(network.layer)), by_name)


class _HalvesInPlace(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images.mul_(0.5)


class _Halves(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return images * 0.5


TOOLS = {"METHODS", "Method", "localisation", "methods", "receptive_field", "regularizers", "tsne_parts"}
"""Modules and public names that are no method."""


def test_every_module_and_public_name_is_a_method_or_a_tool_of_several() -> None:
    modules = {path.stem for path in Path(cnnviz_ref.__file__).parent.glob("[!_]*.py")}
    new = (modules | set(cnnviz_ref.__all__)) - TOOLS - {method.name for method in METHODS}
    assert not new, (
        f"cnnviz_ref/methods.py: add to METHODS, at its lesson's place, Method(name, function, lesson, shape, call) "
        f"for {', '.join(sorted(new))}; or, if it is no method, name it in TOOLS of {Path(__file__).name}"
    )


@pytest.mark.parametrize("method", METHODS, ids=_names)
def test_every_public_method_has_a_row_that_names_it(method: Method) -> None:
    name, module = method.name, method.function.__module__
    assert getattr(cnnviz_ref, name, None) is method.function, (
        f"cnnviz_ref/__init__.py: add `from {module} import {name} as {name}`"
    )
    assert name in cnnviz_ref.__all__, f'cnnviz_ref/__init__.py: add "{name}" to __all__'


@pytest.mark.parametrize("method", [method for method in METHODS if method.call is method.function], ids=_names)
def test_shapes_in_the_annotations_are_true(method: Method) -> None:
    jaxtyping = pytest.importorskip("jaxtyping", reason="jaxtyping is not installed")
    beartype = pytest.importorskip("beartype", reason="beartype is not installed").beartype
    checked = jaxtyping.jaxtyped(typechecker=beartype)(method.function)
    network = NETWORKS[0]
    checked(shared_model(network, torch.float64), *inputs(network, torch.float64), network.layer)
    with pytest.raises(jaxtyping.TypeCheckError):
        checked(shared_model(network, torch.float64), *inputs(network, torch.float64)[::-1], network.layer)

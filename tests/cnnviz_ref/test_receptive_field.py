"""Receptive fields by hand, against the support of a gradient, and by changing the pixels outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache, partial

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref.receptive_field import ReceptiveField, Span, chain_receptive_field, receptive_field

Box = tuple[int, int, int, int]


def torchvision_net(name: str, **options: object) -> nn.Module:
    """Without weights, which a receptive field does not depend on."""
    with torch.device("meta"):
        net = torchvision.models.get_model(name, weights=None, num_classes=5, **options).eval()
        if name.startswith("vgg"):
            net.classifier = nn.Linear(25088, 5)  # for its own, with 120 million weights
    return net


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int], tuple[str, ...]]] = {
    "gap": (partial(GapNet, stride=2), (3, 12, 8), ("features.0", "features.2", "features")),
    "flatten": (FlattenNet, (3, 12, 8), ("features.2", "features.3", "pool", "classifier.0", "classifier")),
    "batch_norm": (BatchNormNet, (3, 12, 8), ("features.3", "features", "pool")),
    "functional": (FunctionalNet, (3, 12, 8), ("features.conv2", "features.relu", "features")),
    "digit_net": (cnnviz.digit_net, (1, 64, 48), ("features.block1", "features.block2", "features", "classifier")),
    "resnet18": (
        partial(torchvision_net, "resnet18"),
        (3, 80, 112),
        ("maxpool", "layer1.0", "layer1", "layer2.0.conv1", "layer2.0.downsample", "layer2.0", "layer3.0", "avgpool"),
    ),
    "vgg11_bn": (
        partial(torchvision_net, "vgg11_bn"),
        (3, 64, 80),
        ("features.0", "features.11", "features", "classifier"),
    ),
    "googlenet": (
        partial(torchvision_net, "googlenet", aux_logits=False, init_weights=False),
        (3, 63, 96),
        ("maxpool1", "inception3a.branch1", "inception3a.branch4", "inception3b", "inception4a", "fc"),
    ),
    "squeezenet1_0": (
        partial(torchvision_net, "squeezenet1_0"),
        (3, 67, 99),
        ("features.2", "features.3.expand3x3", "features.5", "features.7", "features", "classifier"),
    ),
    "densenet121": (
        partial(torchvision_net, "densenet121"),
        (3, 64, 96),
        ("features.pool0", "features.denseblock1.denselayer3", "features.transition1"),
    ),
    "mobilenet_v2": (
        partial(torchvision_net, "mobilenet_v2"),
        (3, 64, 96),
        ("features.2", "features.6", "features.8", "features.14.conv.0"),
    ),
    "efficientnet_lite0": (
        cnnviz.efficientnet_lite0,
        (3, 64, 96),
        ("features.stem", "features.block3", "features.block4.body.depthwise", "features.block6"),
    ),
}
LAYERS = [(name, layer) for name, (_, _, layers) in NETWORKS.items() for layer in layers]


@cache
def averaging(name: str) -> nn.Module:
    """A copy whose weights are all positive, so that no two ways from a pixel to a unit cancel."""
    net = NETWORKS[name][0]()
    net = (net.to_empty(device="cpu") if next(net.parameters()).is_meta else net).double()
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            module.weight.data.fill_(1 / module.weight[0].numel())
            if module.bias is not None:
                module.bias.data.zero_()
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return net


class Averaging(TorchFunctionMode):
    """Averages for maxima and no ReLUs: every pixel that a unit can see moves it."""

    def __torch_function__(self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None) -> object:
        kwargs = kwargs or {}
        name = getattr(func, "__name__", "").strip("_")
        if name in ("relu", "hardtanh", "relu6"):
            return args[0]
        if name == "max_pool2d":
            names = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode")
            options = {**dict(zip(names, args, strict=False)), **kwargs}
            assert options.pop("dilation", 1) == 1
            options.pop("return_indices", None)
            return F.avg_pool2d(**options)
        return func(*args, **kwargs)


def output(net: nn.Module, images: Tensor, layer: str) -> Tensor:
    """The layer's last output."""
    kept: list[Tensor] = []
    handle = net.get_submodule(layer).register_forward_hook(lambda _module, _inputs, out: kept.append(out.clone()))
    try:
        net(images)
    finally:
        handle.remove()
    return kept[-1]


def supports(name: str, layer: str) -> Iterator[tuple[tuple[int, int], Box]]:
    """The box around the non-zero gradient of units in the middle and in the corners."""
    images = torch.ones(1, *NETWORKS[name][1], dtype=torch.float64, requires_grad=True)
    with Averaging():
        A = output(averaging(name), images, layer)
    A = A.sum(dim=1) if A.ndim == 4 else A.sum().view(1, 1, 1)  # of any channel
    h, w = A.shape[1:]
    for i, j in {(h // 2, w // 2), (0, w - 1), (h - 1, 0)}:
        moved = torch.autograd.grad(A[0, i, j], images, retain_graph=True)[0].abs().sum(dim=(0, 1)) > 0
        rows, columns = moved.any(dim=1).nonzero(), moved.any(dim=0).nonzero()
        yield (i, j), (int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def clipped(box: Box, size: tuple[int, int, int]) -> Box:
    top, left, bottom, right = box
    return max(top, 0), max(left, 0), min(bottom, size[1]), min(right, size[2])


@pytest.mark.parametrize(("name", "layer"), LAYERS)
def test_equals_the_support_of_the_gradient_of_an_averaging_copy(name: str, layer: str) -> None:
    build, size, _ = NETWORKS[name]
    field = receptive_field(build(), layer, size=size)
    for place, box in supports(name, layer):
        assert clipped(field.box(*place), size) == box


def test_two_layers_by_hand() -> None:
    # 3 wide, every second one: units at 0, 2, 4; then 2 of them, none padded: 0..2 and 2..4 in the image less 1
    assert chain_receptive_field([(3, 2, 1, 1)]) == Span(3, 2, 0.0)
    assert chain_receptive_field([(3, 2, 1, 1), (2, 1, 0, 1)]) == Span(5, 2, 1.0)
    assert chain_receptive_field([(3, 2, 1, 1), (2, 1, 0, 1), (3, 1, 2, 2)]) == Span(13, 2, 1.0)  # dilated: 5 units
    assert chain_receptive_field([]) == Span(1, 1, 0.0)


def test_units_of_a_span_by_hand() -> None:
    span = Span(5, 2, 1.0)  # -1..3, 1..5
    assert [(span.first(i), span.end(i)) for i in (0, 1)] == [(-1, 4), (1, 6)]
    assert (Span(4, 1, 0.5).first(), Span(4, 1, 0.5).end()) == (-1, 3)


@pytest.mark.parametrize(("name", "size", "jump"), [("vgg16", 212, 32), ("alexnet", 195, 32), ("resnet18", 435, 32)])
def test_sizes_in_the_literature(name: str, size: int, jump: int) -> None:
    field = receptive_field(torchvision_net(name), "layer4" if name == "resnet18" else "features")
    assert (field.rows.size, field.rows.jump) == (field.columns.size, field.columns.jump) == (size, jump)


class Cross(nn.Module):
    """Two branches of one grid, one that looks far down, one far to the right, in three ways to meet."""

    def __init__(self, meet: str) -> None:
        super().__init__()
        self.down, self.right = nn.Conv2d(1, 2, (5, 1), padding=(2, 0)), nn.Conv2d(1, 2, (1, 4), padding="same")
        self.meet = meet

    def forward(self, images: Tensor) -> Tensor:
        down, right = self.down(images), self.right(images)
        if self.meet == "iadd":
            down += right
            return down
        if self.meet == "cat":
            return F.relu_(torch.cat([down, right], dim=1))
        return down * right.mean(dim=(2, 3), keepdim=True)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("meet", ["iadd", "cat"])
def test_branches_meet_in_the_box_around_both(meet: str) -> None:
    field = receptive_field(nn.Sequential(Cross(meet)), "0", size=(1, 9, 9))
    assert field == ReceptiveField(Span(5, 1, 0.0), Span(4, 1, 0.5))  # "same" pads 1 before and 2 after
    assert field.box(4, 4) == (2, 3, 7, 7)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_a_gate_that_sees_everything_makes_everything_seen() -> None:
    assert receptive_field(nn.Sequential(Cross("gate")), "0", size=(1, 9, 7)).box(3, 3) == (0, 0, 9, 7)


class Written(nn.Module):
    """What a layer gives is `forward`."""

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.forward = forward


@pytest.mark.parametrize(
    ("forward", "rows", "columns"),
    [
        (lambda x: F.pad(x, (1, 2, 3, 4)), Span(1, 1, -3.0), Span(1, 1, -1.0)),
        (lambda x: F.pad(x, (-1, 0)), Span(1, 1, 0.0), Span(1, 1, 1.0)),
        (lambda x: F.max_pool2d(x, (3, 2)), Span(3, 3, 1.0), Span(2, 2, 0.5)),
        (lambda x: F.max_pool2d(x, 3, 2, dilation=2, ceil_mode=True), Span(5, 2, 2.0), Span(5, 2, 2.0)),
        (lambda x: F.max_pool2d(x, 3, 2, return_indices=True)[0], Span(3, 2, 1.0), Span(3, 2, 1.0)),
        (lambda x: nn.AvgPool2d(3, padding=1)(x), Span(3, 3, 0.0), Span(3, 3, 0.0)),
        (lambda x: F.adaptive_avg_pool2d(x, (4, 2)), Span(3, 3, 1.0), Span(5, 5, 2.0)),
        (lambda x: F.adaptive_avg_pool2d(x, (5, None)), Span(12, 0, 5.5), Span(1, 1, 0.0)),
        (lambda x: x.mean(dim=3, keepdim=True), Span(1, 1, 0.0), Span(10, 0, 4.5)),
        (lambda x: x.mean(dim=3), Span(12, 0, 5.5), Span(10, 0, 4.5)),
        (lambda x: F.softmax(x.flatten(1), dim=1), Span(12, 0, 5.5), Span(10, 0, 4.5)),
        (lambda x: x[:, :2].view(1, 1, 2, 12, 10).mul_(2)[0], None, None),
        (lambda x: torch.unsqueeze(x[:, 0], 1) * 0.2 + 1, Span(1, 1, 0.0), Span(1, 1, 0.0)),
        (lambda x: x[..., 1:], None, None),
        (lambda x: x.transpose(2, 3), None, None),
        (lambda x: x.transpose(1, -1), None, None),
        (lambda x: torch.cat(x[:, :2].chunk(2, dim=1)[::-1], 1), Span(1, 1, 0.0), Span(1, 1, 0.0)),
        (lambda x: x[:, :2].view(1, 2, 1, 12, 10).transpose(1, 2).flatten(1, 2), Span(1, 1, 0.0), Span(1, 1, 0.0)),
        (lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), None, None),
    ],
)
def test_functions_by_hand(forward: Callable[[Tensor], Tensor], rows: Span | None, columns: Span | None) -> None:
    net = nn.Sequential(Written(forward))
    if rows is None:
        with pytest.raises(ValueError, match="for which receptive_field has no rule"):
            receptive_field(net, "0", size=(3, 12, 10))
    else:
        assert receptive_field(net, "0", size=(3, 12, 10)) == ReceptiveField(rows, columns)


@settings(max_examples=30, deadline=None)
@given(
    layers=st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2)), min_size=1, max_size=4
    )
)
def test_law_a_chain_equals_the_network_and_the_support_of_its_gradient(layers: list[tuple[int, ...]]) -> None:
    net = nn.Sequential(*(nn.Conv2d(1, 1, k, s, min(p, k - 1), d, bias=False) for k, s, p, d in layers)).double()
    layers = [(k, s, min(p, k - 1), d) for k, s, p, d in layers]
    for module in net:
        nn.init.ones_(module.weight)
    span = chain_receptive_field(layers)
    image = torch.ones(1, 1, *[2 * span.size + 2 * span.jump] * 2, dtype=torch.float64, requires_grad=True)
    A = net(image)
    field = receptive_field(net, str(len(layers) - 1), size=(1, *image.shape[2:]))
    assert field == ReceptiveField(span, span)
    i = A.shape[2] // 2
    seen = torch.autograd.grad(A[0, 0, i, i], image)[0][0, 0].any(dim=1).nonzero()
    assert clipped(field.box(i, i), (1, *image.shape[2:]))[::2] == (int(seen[0]), int(seen[-1]) + 1)


def test_last_rows_that_a_strided_layer_leaves_out_are_inside_boxes_that_hang_over_the_border() -> None:
    # 3 wide, every second: of 8 pixels the last is never seen; the next layer's last unit reads padding at 8 and 9
    net = nn.Sequential(nn.Conv2d(1, 1, 3, stride=2), nn.Conv2d(1, 1, 3, padding=1))
    field = receptive_field(net, "1", size=(1, 8, 8))
    assert (field.rows.first(2), field.rows.end(2)) == (2, 9)


def test_layer_that_runs_twice_counts_with_its_last_output() -> None:
    assert receptive_field(FunctionalNet(), "features.relu", size=(3, 12, 8)).rows == Span(9, 1, 0.0)


def test_model_is_left_as_found_and_its_numbers_do_not_matter() -> None:
    net = BatchNormNet().train()
    before = deepcopy(net.state_dict())
    with torch.inference_mode():
        field = receptive_field(net, "features", size=(3, 12, 8))
    assert net.training
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in before.items())
    assert field == receptive_field(net.double(), "features") == receptive_field(net.to("meta"), "features")


@pytest.mark.parametrize(
    ("layer", "size", "sentence"),
    [
        ("feature", (3, 12, 8), "layer: got 'feature', but the model's layers are features, pool, classifier"),
        ("features", (12, 8), "size: got (12, 8), needs (C, H, W), each a whole number from 1; try (3, 224, 224)."),
        ("features", (3, 12, 0), "size: got (3, 12, 0), needs (C, H, W), each a whole number from 1"),
        ("features", (1, 12, 8), "size: a blank image (1, 12, 8) does not go through the model: Given groups=1"),
        ("features", (3, 16, 16), "size: a blank image (3, 16, 16) does not go through the model: "),
    ],
)
def test_bad_arguments_are_refused(layer: str, size: tuple, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        receptive_field(FlattenNet(), layer, size=size)
    assert str(error.value).startswith(sentence)


def test_operation_without_a_rule_is_named_where_the_layer_depends_on_it() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Upsample(scale_factor=2), nn.ReLU(), nn.Flatten())
    assert receptive_field(net, "0", size=(1, 8, 8)).rows == Span(3, 1, 1.0)
    sentence = (
        "layer '2': is computed by interpolate, for which receptive_field has no rule; choose a layer that comes "
        "before that."
    )
    with pytest.raises(ValueError) as error:  # noqa: PT011
        receptive_field(net, "2", size=(1, 8, 8))
    assert str(error.value) == sentence


def test_layer_that_does_not_run_is_refused() -> None:
    net = GapNet()
    net.side = nn.Conv2d(3, 2, 1)
    with pytest.raises(ValueError, match="layer 'side' did not run in the model's forward pass; choose a layer that"):
        receptive_field(net, "side", size=(3, 12, 8))

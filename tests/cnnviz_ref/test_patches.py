"""Patches of an image sent through a network: the scores of the whole copies, at less work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref._patches import Axis, Patched, Patches
from cnnviz_ref.occlusion import hidden_scores


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def example(size: tuple[int, int] = (24, 20), patch: int = 3, C: int = 3) -> Patches:
    """Patches at the corners, at the borders and inside."""
    H, W = size
    tops, lefts = [0, H - patch, 0, 5, H - patch, H // 2 - 1], [0, W - patch, W - patch, 2, W // 2, 3]
    rows, columns = Axis(tops, patch, H), Axis(lefts, patch, W)
    return Patches(pictures(1, C, H, W), pictures(6, C, patch, patch, seed=2), rows, columns)


def through(function: Callable[[Tensor], Tensor], patches: Patches) -> tuple[Tensor, Tensor]:
    """With patches, and with whole maps."""
    with torch.no_grad():
        with Patched() as mode:
            ours = mode.whole(function(mode.start(patches)))
        return ours, function(patches.whole())


def assert_equal(ours: Tensor, expected: Tensor) -> None:
    assert ours.shape == expected.shape
    assert (ours - expected).abs().max() <= 1e-12 * expected.abs().max()


def test_whole_maps_are_the_shared_one_with_a_patch_each() -> None:
    patches = Patches(torch.zeros(1, 1, 2, 3), torch.ones(2, 1, 1, 2), Axis([0, 1], 1, 2), Axis([0, 1], 2, 3))
    assert patches.whole().tolist() == [[[[1, 1, 0], [0, 0, 0]]], [[[0, 0, 0], [0, 1, 1]]]]


def test_a_convolution_reaches_the_outputs_that_read_the_patch() -> None:
    # 3 wide, stride 2, padding 1: output o reads 2o - 1 to 2o + 1, so place 4 is read by 2 and place 5 by 2 and 3.
    after, frame = Axis([4, 0], 2, 8).after(3, 2, 1, 1, 4)
    assert (after.starts, after.size) == ([2, 0], 2)
    assert (frame.starts, frame.size) == ([3, -1], 5)


NETS = {net.__name__: net for net in (GapNet, FlattenNet, BatchNormNet, FunctionalNet)}
TORCHVISION = ["resnet18", "squeezenet1_0", "mobilenet_v2", "efficientnet_lite0"]


@pytest.mark.parametrize("name", [*NETS, *TORCHVISION])
def test_networks_give_the_scores_of_whole_images(name: str) -> None:
    net = NETS[name]() if name in NETS else cnnviz.load_model(name)
    size = (12, 8) if name == "FlattenNet" else (24, 20) if name in NETS else (96, 80)
    assert_equal(*through(net.double().eval(), example(size, patch=3 if name in NETS else 16)))


@settings(max_examples=40, deadline=None)
@given(
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    dilation=st.integers(1, 2),
    patch=st.integers(1, 6),
    pool=st.booleans(),
    ceil=st.booleans(),
)
def test_law_any_convolution_and_any_max_pool(
    kernel: tuple, stride: tuple, padding: tuple, dilation: int, patch: int, pool: bool, ceil: bool
) -> None:
    options = {"stride": stride, "padding": padding, "dilation": dilation}
    if pool:
        padding = tuple(min(p, k // 2) for p, k in zip(padding, kernel, strict=True))
        layer: nn.Module = nn.MaxPool2d(kernel, **{**options, "padding": padding}, ceil_mode=ceil)
    else:
        layer = nn.Conv2d(3, 4, kernel, **options).double()
    assert_equal(*through(layer, example(patch=patch)))


FUNCTIONS = {
    "a sum of patches of two sizes": lambda x: x + F.max_pool2d(x, 3, 1, 1),
    "in place": lambda x: F.conv2d(x, torch.ones(3, 3, 1, 1, dtype=x.dtype)).relu_().add_(x),
    "what was overwritten": lambda x: [x, F.relu(x, inplace=True)][0],
    "a frame": lambda x: F.max_pool2d(F.pad(x, (0, 1, 2, 3), value=0.5), 2),
    "a reflected frame": lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"),
    "a number": lambda x: x + 1,
    "an operation without a rule": lambda x: torch.softmax(x, dim=1),
    "an assignment": lambda x: [x.__setitem__((slice(None), 0), 0.0), x][1],
    "batch statistics": lambda x: F.batch_norm(x, None, None, training=True),
    "padding by name": lambda x: F.conv2d(x, torch.ones(2, 3, 3, 3, dtype=x.dtype), padding="same"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_operations_give_the_maps_of_whole_images(name: str) -> None:
    assert_equal(*through(FUNCTIONS[name], example()))


def test_shapes_are_known_without_the_whole_maps() -> None:
    with Patched() as mode:
        x = mode.start(example())
        assert (len(x), x.shape, x.size(1), x.dim(), x.ndim, x.dtype) == (6, (6, 3, 24, 20), 3, 4, 4, torch.float64)
        assert mode.current(x) is x


def test_the_work_is_that_of_the_patches() -> None:
    sizes = []

    class Counted(nn.Conv2d):
        def _conv_forward(self, x: Tensor, *rest: Tensor) -> Tensor:
            y = super()._conv_forward(x, *rest)
            sizes.append([tuple(part.shape) for part in (mode.patches[y].shared, mode.patches[y].values)])
            return y

    layers = nn.Sequential(Counted(3, 4, 3, padding=1), nn.ReLU(), Counted(4, 2, 3, stride=2, padding=1)).double()
    with torch.no_grad(), Patched() as mode:
        layers(mode.start(example(patch=4)))
    assert sizes == [[(1, 4, 24, 20), (6, 4, 6, 6)], [(1, 2, 12, 10), (6, 2, 4, 4)]]


class Escaping(nn.Module):
    """As a compiled part does, it computes where no mode sees it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        with torch._C.DisableTorchFunction():
            return self.net(x)


def test_a_part_that_escapes_is_computed_whole() -> None:
    net, image = GapNet().double(), pictures(1, 3, 12, 8)
    boxes, target, fill = [(0, 4, 0, 4), (8, 12, 2, 4)], torch.tensor([3]), torch.zeros(3, 12, 8, dtype=torch.float64)
    with torch.no_grad():
        expected = hidden_scores(net, image, target, boxes, fill)
        assert_equal(hidden_scores(Escaping(net), image, target, boxes, fill), expected)

"""Saliency against hand computation, finite differences, and its laws."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import saliency
from cnnviz_ref.saliency import image_gradient, strongest_colour

TARGETS = torch.tensor([3, 0, 4])
forms = pytest.mark.parametrize("form", ["abs_max", "squared"])


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class SquareOfRed(nn.Module):
    """y^0 = sum(red^2) - 3 sum(blue); y^1 = red at the first pixel times blue at the second."""

    def forward(self, images: Tensor) -> Tensor:
        red, blue = images[:, 0].flatten(1), images[:, 1].flatten(1)
        return torch.stack([(red**2).sum(1) - 3 * blue.sum(1), red[:, 0] * blue[:, 1]], dim=1)


def test_two_pixels_by_hand() -> None:
    image = torch.tensor([[[[1.0, -4.0]], [[5.0, 7.0]]]])
    images, targets = torch.cat([image, image]), torch.tensor([0, 1])
    # class 0: red 2x = (2, -8), blue -3; class 1: red (7, 0), blue (0, 1)
    assert image_gradient(SquareOfRed(), images, targets).tolist() == [[[[2, -8]], [[-3, -3]]], [[[7, 0]], [[0, 1]]]]
    assert saliency(SquareOfRed(), images, targets).tolist() == [[[3, 8]], [[7, 1]]]
    assert saliency(SquareOfRed(), images, targets, form="squared").tolist() == [[[9, 64]], [[49, 1]]]


def test_absolute_value_comes_before_the_maximum_over_colours() -> None:
    assert strongest_colour(torch.tensor([[[[1.0]], [[-6.0]], [[4.0]]]])).tolist() == [[[6.0]]]


def slow_saliency(net: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """One pixel and colour at a time, by central differences."""
    eps, (N, C, H, W) = 1e-6, images.shape
    maps = torch.zeros(N, H, W, dtype=images.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(H):
                for j in range(W):
                    pair = images[n].repeat(2, 1, 1, 1)
                    pair[0, c, i, j] += eps
                    pair[1, c, i, j] -= eps
                    up, down = net(pair)[:, targets[n]].tolist()
                    maps[n, i, j] = max(float(maps[n, i, j]), abs(up - down) / (2 * eps))
    return maps


@pytest.mark.parametrize("net", [GapNet(), BatchNormNet(), FunctionalNet()], ids=lambda net: type(net).__name__)
def test_equals_finite_differences(net: nn.Module) -> None:
    net, images = deepcopy(net).double(), pictures(2, 3, 7, 5)
    with torch.no_grad():
        expected = slow_saliency(net, images, TARGETS[:2])
    ours = saliency(net, images, TARGETS[:2])
    assert (ours - expected).abs().max() < 1e-7 * expected.abs().max()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), H=st.integers(1, 5), W=st.integers(1, 5), C=st.integers(1, 3))
def test_law_a_linear_model_shows_its_weights(seed: int, H: int, W: int, C: int) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(C * H * W, 5)).double()
    w = pictures(5, C, H, W, seed=seed)
    net[1].weight.data.copy_(w.flatten(1))
    images = pictures(3, C, H, W, seed=seed + 1)
    assert torch.equal(saliency(net, images, TARGETS), w[TARGETS].abs().amax(dim=1))


def test_law_squared_is_the_square() -> None:
    net, images = FlattenNet().double(), pictures(3, 3, 12, 8)
    assert torch.equal(
        saliency(net, images, TARGETS, form="squared"), saliency(net, images, TARGETS, form="abs_max") ** 2
    )


@forms
def test_map_is_zero_where_the_network_does_not_look(form: str) -> None:
    net, images = GapNet(kernel=1).double(), pictures(3, 3, 4, 5)
    net.features.insert(0, nn.ZeroPad2d((0, -2, 0, 0)))  # crops the last two columns
    found = saliency(net, images, TARGETS, form=form)
    assert (found[:, :, 3:] == 0).all()
    assert (found[:, :, :3] > 0).any()


def test_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^form: got 'abs', needs one of 'abs_max', 'squared'; choose one of them\.$"):
        saliency(GapNet(), torch.zeros(1, 3, 4, 4), TARGETS[:1], form="abs")


def test_score_that_does_not_depend_on_the_image_is_refused() -> None:
    class Constant(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return torch.ones(len(images), 2)

    with pytest.raises(ValueError, match=r"^model: no gradient arrives from the score"):
        saliency(Constant(), torch.zeros(1, 3, 4, 4), torch.tensor([1]))

"""Occlusion against hand computation, one window at a time, and its laws."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import occlusion
from cnnviz_ref.occlusion import coverage_average, spans

TARGETS = torch.tensor([3, 0, 4])


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Product(nn.Module):
    """y^0 = left pixel * middle pixel + right pixel; y^1 = -right pixel."""

    def forward(self, images: Tensor) -> Tensor:
        left, middle, right = images[:, 0, 0].unbind(1)
        return torch.stack([left * middle + right, -right], dim=1)


def test_three_pixels_by_hand() -> None:
    images = torch.tensor([[[[2.0, 3.0, 5.0]]]]).repeat(2, 1, 1, 1)
    # y^0 = 11; hidden left two: 5, drop 6; hidden right two: 0, drop 11; the middle is under both
    expected = [[[6, 8.5, 11]], [[0, -2.5, -5]]]
    assert occlusion(Product(), images, torch.tensor([0, 1]), window=(1, 2), stride=1).tolist() == expected
    # filled with 1: 1 * 1 + 5 = 6, drop 5; 2 * 1 + 1 = 3, drop 8; class 1: 0 and -5 + 1
    expected = [[[5, 6.5, 8]], [[0, -2, -4]]]
    assert occlusion(Product(), images, torch.tensor([0, 1]), window=(1, 2), stride=1, fill=1).tolist() == expected


def test_last_window_is_cropped_at_the_border() -> None:
    assert spans(10, 4, 3) == [(0, 4), (3, 7), (6, 10)]
    assert spans(11, 4, 3) == [(0, 4), (3, 7), (6, 10), (9, 11)]
    assert spans(4, 4, 1) == [(0, 4)]


def test_overlaps_are_averaged_and_not_summed() -> None:
    drops = torch.tensor([[[4.0, 10.0]]])
    assert coverage_average(drops, [(0, 1)], [(0, 2), (1, 3)], (1, 3)).tolist() == [[[4, 7, 10]]]


def slow_occlusion(
    net: nn.Module, images: Tensor, targets: Tensor, window: tuple, stride: tuple, fill: float
) -> Tensor:
    """One window and one image at a time, by the pixels' definition."""
    N, _, H, W = images.shape
    total, count = torch.zeros(N, H, W, dtype=images.dtype), torch.zeros(N, H, W, dtype=images.dtype)
    for n in range(N):
        y = net(images[n : n + 1])[0, targets[n]]
        top = 0
        while True:
            left = 0
            while True:
                mask = torch.zeros(H, W, dtype=torch.bool)
                mask[top : top + window[0], left : left + window[1]] = True
                hidden = torch.where(mask, torch.as_tensor(fill, dtype=images.dtype), images[n])
                total[n][mask] += y - net(hidden[None])[0, targets[n]]
                count[n][mask] += 1
                if left + window[1] >= W:
                    break
                left += stride[1]
            if top + window[0] >= H:
                break
            top += stride[0]
    return total / count


@pytest.mark.parametrize(
    "net", [GapNet(), FlattenNet(), BatchNormNet(), FunctionalNet()], ids=lambda net: type(net).__name__
)
@pytest.mark.parametrize(("window", "stride", "fill"), [((5, 3), (3, 2), 0.0), ((4, 4), (4, 4), 0.7)])
def test_equals_one_window_at_a_time(net: nn.Module, window: tuple, stride: tuple, fill: float) -> None:
    net, images = deepcopy(net).double(), pictures(3, 3, 12, 8)
    with torch.no_grad():
        expected = slow_occlusion(net, images, TARGETS, window, stride, fill)
    ours = occlusion(net, images, TARGETS, window=window, stride=stride, fill=fill)
    assert (expected < 0).any()
    assert (ours - expected).abs().max() < 1e-12 * expected.abs().max()


@settings(max_examples=15, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10**6), H=st.integers(1, 6), W=st.integers(1, 6), fill=st.floats(-2, 2))
def test_law_a_linear_model_drops_by_the_hidden_products(
    data: st.DataObject, seed: int, H: int, W: int, fill: float
) -> None:
    window = (data.draw(st.integers(1, H)), data.draw(st.integers(1, W)))
    net = nn.Sequential(nn.Flatten(), nn.Linear(2 * H * W, 5)).double()
    w, images = pictures(5, 2, H, W, seed=seed), pictures(3, 2, H, W, seed=seed + 1)
    net[1].weight.data.copy_(w.flatten(1))
    products = (w[TARGETS] * (images - fill)).sum(dim=1)
    expected = torch.empty_like(products)
    for top in range(0, H, window[0]):
        for left in range(0, W, window[1]):
            place = (slice(None), slice(top, top + window[0]), slice(left, left + window[1]))
            expected[place] = products[place].sum(dim=(1, 2))[:, None, None]
    ours = occlusion(net, images, TARGETS, window=window, stride=window, fill=fill)
    assert (ours - expected).abs().max() < 1e-10


def test_fill_may_be_an_image_and_hiding_what_is_there_changes_nothing() -> None:
    net, images = FlattenNet().double(), pictures(3, 3, 12, 8)
    found = occlusion(net, images, TARGETS, window=4, stride=4, fill=images[1])
    assert found[1].abs().max() < 1e-12
    assert found[0].abs().max() > 0.01
    colours = torch.tensor([0.1, -0.2, 0.3])[:, None, None]
    flat = occlusion(net, images, TARGETS, window=4, stride=4, fill=colours)
    assert torch.equal(flat, occlusion(net, images, TARGETS, window=4, stride=4, fill=colours.expand(3, 12, 8)))


class Counting(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.sizes = net, []

    def forward(self, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        return self.net(images)


def test_chunk_bounds_the_batch_and_does_not_change_the_map() -> None:
    images = pictures(3, 3, 12, 8)
    expected = occlusion(GapNet().double(), images, TARGETS, window=4, stride=4, chunk=100)
    for chunk in (1, 4, 7):
        model = Counting(GapNet().double())
        found = occlusion(model, images, TARGETS, window=4, stride=4, chunk=chunk)
        assert max(model.sizes) <= chunk
        assert sum(model.sizes) == 3 + 3 * 6
        assert (found - expected).abs().max() < 1e-12 * expected.abs().max()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"window": 9}, "window: got 9, but the images are 12 x 8; choose at most that."),
        ({"window": (13, 2)}, "window: got (13, 2), but the images are 12 x 8; choose at most that."),
        ({"window": 0}, "window: got 0, needs pixels from 1, one number or (height, width); try 16."),
        ({"window": 2.5}, "window: got 2.5, needs pixels from 1, one number or (height, width); try 16."),
        ({"stride": (1, 0)}, "stride: got (1, 0), needs pixels from 1, one number or (height, width); try 16."),
        ({"stride": 5}, "stride: got 5, but the window is 4 x 4, so pixels would be left out; choose at most that."),
        ({"chunk": 0}, "chunk: got 0, needs a whole number from 1; try 16."),
        ({"fill": torch.zeros(2, 1, 1)}, "fill: got [2, 1, 1], needs a number or a tensor for [3, 12, 8]; try 0.0."),
        ({"fill": "grey"}, "fill: got 'grey', needs a number or a tensor for [3, 12, 8]; try 0.0."),
        ({"fill": float("nan")}, "fill: got NaN or infinity, needs finite values; try 0.0."),
    ],
)
def test_bad_options_are_refused(options: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        occlusion(GapNet(), torch.zeros(3, 3, 12, 8), TARGETS, **{"window": 4, "stride": 4, **options})
    assert str(error.value) == sentence

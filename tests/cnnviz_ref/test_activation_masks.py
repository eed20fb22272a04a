"""Activation masks against hand computation, one position at a time, and their laws."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from cnnviz.small_nets import GapNet
from cnnviz_ref import activation_masks, activations
from cnnviz_ref.activation_masks import (
    channel_thresholds,
    dataset_iou,
    overlaps,
    upsampled_masks,
)


def maps(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def bits(*shape: int, seed: int = 1, share: float = 0.5) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < share


def test_two_images_and_two_channels_by_hand() -> None:
    A = torch.tensor([[[[0.0, 10.0]], [[7.0, 7.0]]], [[[20.0, 40.0]], [[7.0, 7.0]]]])
    # channel 0: 0 10 20 40, the middle lies at 15, three quarters at 25; channel 1 is the same everywhere
    assert channel_thresholds(A, 0.5).tolist() == [15, 7]
    assert channel_thresholds(A, 0.75).tolist() == [25, 7]
    masks = activation_masks(A, 0.5)
    assert masks.tolist() == [[[[False, False]], [[False, False]]], [[[True, True]], [[False, False]]]]
    assert activation_masks(A, 0.75)[:, 0].tolist() == [[[False, False]], [[False, True]]]


def test_upsampling_by_hand() -> None:
    A = torch.tensor([[[[0.0, 4.0]]]])
    # four columns: 0 1 3 4; six: 0 2/3 .. at 1/6, 3/6, 5/6 of the way
    assert upsampled_masks(A, torch.tensor([2.0]), (1, 4)).tolist() == [[[[False, False, True, True]]]]
    assert upsampled_masks(A, torch.tensor([0.9]), (2, 4)).tolist() == [[[[False, True, True, True]] * 2]]
    assert upsampled_masks(A, torch.tensor([0.7]), (1, 6)).tolist() == [[[[False, False, True, True, True, True]]]]


def test_iou_by_hand() -> None:
    masks = torch.tensor([[[[1, 1, 0]], [[0, 0, 0]]], [[[0, 1, 0]], [[0, 0, 0]]]]).bool()
    concepts = torch.tensor([[[[1, 0, 0]], [[0, 0, 0]]], [[[0, 1, 1]], [[0, 0, 0]]]]).bool()
    # channel 0: intersections 1 + 1, unions 2 + 2; averaged per image it would be the same, so a third image
    assert dataset_iou(masks, concepts).tolist() == [[0.5, 0], [0, 0]]
    third = torch.tensor([[[[0, 0, 0]], [[0, 0, 0]]]]).bool(), torch.tensor([[[[1, 1, 1]], [[0, 0, 0]]]]).bool()
    joined = torch.cat([masks, third[0]]), torch.cat([concepts, third[1]])
    assert (dataset_iou(*joined)[0, 0] - 2 / 7).abs() < 1e-7
    intersection, union = overlaps(*joined)
    assert (intersection.tolist(), union.tolist()) == ([[2, 0], [0, 0]], [[7, 3], [6, 0]])


def slow_thresholds(A: Tensor, quantile: float) -> list[float]:
    thresholds = []
    for k in range(A.shape[1]):
        ordered = sorted(float(a) for image in A for a in image[k].flatten())
        place = quantile * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        thresholds.append(ordered[below] + (place - below) * (ordered[above] - ordered[below]))
    return thresholds


def slow_upsampled(image: Tensor, H: int, W: int) -> Tensor:
    """One pixel at a time: pixel centres at (i + 1/2) h/H - 1/2 on the grid, kept within the grid."""
    h, w = image.shape
    enlarged = torch.empty(H, W, dtype=image.dtype)
    for i in range(H):
        for j in range(W):
            y = min(max((i + 0.5) * h / H - 0.5, 0), h - 1)
            x = min(max((j + 0.5) * w / W - 0.5, 0), w - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
            up = image[top, left] * (left + 1 - x) + image[top, right] * (x - left)
            down = image[bottom, left] * (left + 1 - x) + image[bottom, right] * (x - left)
            enlarged[i, j] = up * (top + 1 - y) + down * (y - top)
    return enlarged


def slow_iou(masks: Tensor, concepts: Tensor) -> list[list[float]]:
    table = []
    for k in range(masks.shape[1]):
        row = []
        for c in range(concepts.shape[1]):
            both = either = 0
            for a, b in zip(masks[:, k].flatten().tolist(), concepts[:, c].flatten().tolist(), strict=True):
                both, either = both + (a and b), either + (a or b)
            row.append(both / either if either else 0.0)
        table.append(row)
    return table


@pytest.mark.parametrize("quantile", [0.005, 0.5, 0.9, 0.995])
def test_masks_equal_one_position_at_a_time(quantile: float) -> None:
    A = maps(3, 4, 5, 3)
    A[:, 3] = A[:, 3].relu()
    T = torch.tensor(slow_thresholds(A, quantile), dtype=torch.float64)
    assert (channel_thresholds(A, quantile) - T).abs().max() < 1e-14
    expected = [[[[bool(a > t) for a in row] for row in m] for m, t in zip(image, T, strict=True)] for image in A]
    assert activation_masks(A, quantile).tolist() == expected


@pytest.mark.parametrize("size", [(12, 7), (5, 3), (15, 9)])
def test_upsampled_masks_equal_one_pixel_at_a_time(size: tuple[int, int]) -> None:
    A = maps(2, 3, 5, 3)
    T = channel_thresholds(A, 0.8)
    expected = torch.stack([torch.stack([slow_upsampled(m, *size) > t for m, t in zip(a, T, strict=True)]) for a in A])
    assert torch.equal(upsampled_masks(A, T, size), expected)


def test_iou_equals_one_pixel_at_a_time() -> None:
    masks, concepts = bits(3, 4, 5, 7), bits(3, 2, 5, 7, seed=2, share=0.2)
    concepts[:, 1] = False
    masks[:, 3] = False
    expected = torch.tensor(slow_iou(masks, concepts))
    assert torch.allclose(dataset_iou(masks, concepts), expected, rtol=1e-6, atol=0)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(*(st.integers(1, 4) for _ in range(4))),
    quantile=st.floats(0.001, 0.999),
)
def test_law_a_channel_exceeds_its_threshold_on_one_minus_quantile_of_the_positions(
    seed: int, shape: tuple[int, int, int, int], quantile: float
) -> None:
    N, K, h, w = shape
    n = N * h * w
    A = torch.stack([torch.randperm(n, generator=torch.Generator().manual_seed(seed + k)) for k in range(K)])
    A = A.view(K, N, h, w).transpose(0, 1).double()  # all values of a channel differ
    masks = activation_masks(A, quantile)
    above = masks.sum(dim=(0, 2, 3))
    assert (above == n - 1 - math.floor(quantile * (n - 1))).all()
    assert ((above / n - (1 - quantile)).abs() <= 1 / n + 1e-12).all()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), quantile=st.floats(0.01, 0.99), gain=st.sampled_from([0.25, 4.0, 1024.0]))
def test_laws_images_may_change_places_and_channels_know_nothing_of_each_other(
    seed: int, quantile: float, gain: float
) -> None:
    A = maps(4, 3, 2, 3, seed=seed)
    expected = activation_masks(A, quantile)
    order = torch.randperm(4, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(activation_masks(A[order], quantile), expected[order])
    stronger = A.clone()
    stronger[:, 1] *= gain
    assert torch.equal(activation_masks(stronger, quantile), expected)
    assert torch.equal(activation_masks(A[:, 1:2], quantile), expected[:, 1:2])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0, 1))
def test_laws_of_iou(seed: int, share: float) -> None:
    masks, concepts = bits(4, 2, 3, 5, seed=seed, share=share), bits(4, 3, 3, 5, seed=seed + 1)
    iou = dataset_iou(masks, concepts)
    assert ((iou >= 0) & (iou <= 1)).all()
    assert torch.equal(iou, dataset_iou(concepts, masks).T)
    own = dataset_iou(masks, masks).diagonal()
    assert torch.equal(own, masks.any(dim=0).flatten(1).any(dim=1).float())
    assert dataset_iou(masks, ~masks).diagonal().abs().max() == 0
    parts = [overlaps(masks[n : n + 1], concepts[n : n + 1]) for n in range(4)]
    together = overlaps(masks, concepts)
    assert torch.equal(sum(both for both, _ in parts), together[0])
    assert torch.equal(sum(either for _, either in parts), together[1])


def test_a_dead_channel_and_a_mostly_silent_one() -> None:
    A = torch.zeros(2, 2, 4, 5)
    A[0, 1, 0, :3] = 1  # 3 of 40 positions, less than the 10 % asked for
    masks = activation_masks(A, 0.9)
    assert not masks[:, 0].any()
    assert torch.equal(masks[:, 1], A[:, 1] > 0)


def test_place_of_the_quantile_is_reckoned_in_double_precision() -> None:
    n = 2**22
    values = torch.arange(n, dtype=torch.float32).view(1, 1, 2048, 2048)
    T = channel_thresholds(values, 0.9)
    assert abs(T.item() - 0.9 * (n - 1)) <= 2**-3  # half a step between float32 numbers of that size
    assert T.dtype == torch.float32


def known_mistakes(A: Tensor, quantile: float) -> dict[str, Tensor]:
    each = torch.stack([activation_masks(image[None], quantile)[0] for image in A])
    lowest = channel_thresholds(A, 1 - quantile)[:, None, None]
    return {
        "quantile per image": each,
        "over all channels": A.gt(torch.quantile(A.flatten(), quantile)),
        "bottom instead of top": A.lt(lowest),
        "quantile per position": A.gt(torch.quantile(A, quantile, dim=0)),
    }


def test_known_mistakes_are_seen() -> None:
    images = maps(3, 3, 12, 8)
    A = activations(GapNet(stride=2).double(), images * torch.tensor([0.5, 1, 2])[:, None, None, None], "features.2")
    masks = activation_masks(A, 0.9)
    for name, wrong in known_mistakes(A, 0.9).items():
        assert not torch.equal(masks, wrong), name


def test_threshold_before_upsampling_and_iou_averaged_over_images_are_seen() -> None:
    A = maps(3, 4, 5, 3)
    T = channel_thresholds(A, 0.8)
    right = upsampled_masks(A, T, (12, 8))
    enlarged = F.interpolate(activation_masks(A, 0.8).double(), size=(12, 8), mode="bilinear") > 0.5
    aligned = F.interpolate(A, size=(12, 8), mode="bilinear", align_corners=True) > T[:, None, None]
    assert not torch.equal(right, enlarged)
    assert not torch.equal(right, aligned)
    concepts = bits(3, 2, 12, 8, share=0.3)
    concepts[0] = False
    averaged = torch.stack([dataset_iou(right[n : n + 1], concepts[n : n + 1]) for n in range(3)]).mean(dim=0)
    iou = dataset_iou(right, concepts)
    assert ((averaged - iou).abs() > 0.05 * iou).all()


def test_no_more_than_one_image_is_enlarged_at_once() -> None:
    floats: list[int] = []

    class Watching(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            if isinstance(result, Tensor) and result.is_floating_point():
                floats.append(result.numel())
            return result

    A = maps(6, 3, 4, 5)
    with Watching():
        upsampled_masks(A, channel_thresholds(A, 0.9), (40, 50))
    assert max(floats) == 3 * 40 * 50


def test_results_are_detached_and_inputs_stay() -> None:
    A = maps(2, 3, 4, 5).requires_grad_()
    before = A.detach().clone()
    T = channel_thresholds(A, 0.9)
    assert not T.requires_grad
    assert activation_masks(A, 0.9).dtype == upsampled_masks(A, T, (8, 10)).dtype == torch.bool
    assert torch.equal(A, before)
    half = channel_thresholds(A.float(), 0.9)
    assert half.dtype == torch.float32


GOOD = torch.ones(2, 3, 4, 5)


@pytest.mark.parametrize(
    ("A", "quantile", "sentence"),
    [
        (GOOD, 1.0, "quantile: got 1.0, needs a number between 0 and 1; the paper takes 0.995."),
        (GOOD, 0, "quantile: got 0, needs a number between 0 and 1; the paper takes 0.995."),
        (GOOD, 99.5, "quantile: got 99.5, needs a number between 0 and 1; the paper takes 0.995."),
        (GOOD, float("nan"), "quantile: got nan, needs a number between 0 and 1; the paper takes 0.995."),
        (GOOD, "high", "quantile: got 'high', needs a number between 0 and 1; the paper takes 0.995."),
        (
            GOOD.tolist(),
            0.5,
            "activations: got list, needs floats [N K h w]; take them from activations(model, ...).",
        ),
        (
            GOOD.int(),
            0.5,
            "activations: got torch.int32 [2, 3, 4, 5], needs floats [N K h w]; "
            "take them from activations(model, ...).",
        ),
        (
            GOOD[0],
            0.5,
            "activations: got torch.float32 [3, 4, 5], needs [N K h w]; one image's maps are A[None].",
        ),
        (
            GOOD * torch.nan,
            0.5,
            "activations: got NaN or infinity, needs finite values; look at the images and the network.",
        ),
    ],
)
def test_bad_activations_and_quantiles_are_refused(A: object, quantile: object, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        activation_masks(A, quantile)
    assert str(error.value) == sentence


THREE = "needs floats [3], one per channel; take them from channel_thresholds."


@pytest.mark.parametrize(
    ("thresholds", "size", "sentence"),
    [
        (torch.ones(2), (8, 10), f"thresholds: got torch.float32 [2], {THREE}"),
        (torch.ones(3).bool(), (8, 10), f"thresholds: got torch.bool [3], {THREE}"),
        (0.5, (8, 10), f"thresholds: got float, {THREE}"),
        (
            torch.ones(3) * torch.nan,
            (8, 10),
            "thresholds: got NaN, needs numbers; take them from channel_thresholds.",
        ),
        (torch.ones(3), (8, 4), "size: got (8, 4), needs (height, width) from (4, 5) up; give the image's size."),
        (torch.ones(3), 8, "size: got 8, needs (height, width) from (4, 5) up; give the image's size."),
    ],
)
def test_bad_thresholds_and_sizes_are_refused(thresholds: object, size: object, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        upsampled_masks(GOOD, thresholds, size)
    assert str(error.value) == sentence


SHAPES = "bring both to the images' size, the masks with upsampled_masks."


@pytest.mark.parametrize(
    ("masks", "concepts", "sentence"),
    [
        (
            GOOD,
            GOOD.bool(),
            "masks: got torch.float32 [2, 3, 4, 5], needs torch.bool [N K H W]; compare with a threshold first.",
        ),
        (
            GOOD.bool(),
            GOOD[0].bool(),
            "concepts: got torch.bool [3, 4, 5], needs torch.bool [N L H W]; compare with a threshold first.",
        ),
        (
            GOOD.bool(),
            [[True]],
            "concepts: got list, needs torch.bool [N L H W]; compare with a threshold first.",
        ),
        (
            GOOD.bool(),
            GOOD[:, :, :2].bool(),
            f"concepts: got 2 images of 2 x 5, but the masks are of 2 images of 4 x 5; {SHAPES}",
        ),
        (
            GOOD.bool(),
            GOOD[:1].bool(),
            f"concepts: got 1 images of 4 x 5, but the masks are of 2 images of 4 x 5; {SHAPES}",
        ),
    ],
)
def test_bad_masks_are_refused(masks: object, concepts: object, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        dataset_iou(masks, concepts)
    assert str(error.value) == sentence

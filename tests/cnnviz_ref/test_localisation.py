"""Pointing game and energy in the box, by hand and pixel by pixel."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cnnviz_ref.localisation import energy_in_box, pointing_game

MAPS = torch.tensor(
    [
        [[9.0, 0.0, 0.0, 0.0], [0.0, -2.0, 3.0, 0.0], [0.0, 1.0, 4.0, 0.0]],
        [[-1.0, -1.0, -1.0, -1.0], [-1.0, -1.0, -0.5, -1.0], [-1.0, -1.0, -9.0, -1.0]],
        [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]],
    ]
)
BOXES = torch.tensor([[1, 1, 3, 3]] * 3)


def test_pointing_by_hand() -> None:
    # the peak of the first map is a diagonal step from the box; a flat map scores its box's 4 of 12 pixels
    assert torch.equal(pointing_game(MAPS, BOXES), torch.tensor([0, 1, 1 / 3]))
    assert torch.equal(pointing_game(MAPS, BOXES, tolerance=1), torch.tensor([0, 1, 10 / 12]))
    assert torch.equal(pointing_game(MAPS, BOXES, tolerance=1.5), torch.tensor([1.0, 1, 1]))


def test_energy_by_hand() -> None:
    assert energy_in_box(MAPS, BOXES).tolist() == pytest.approx([8 / 17, 0, 0])
    assert energy_in_box(MAPS.abs(), BOXES).tolist() == pytest.approx([10 / 19, 11.5 / 19.5, 0])


def slow(image: Tensor, box: list[int], tolerance: float) -> tuple[float, float]:
    """Pixel by pixel."""
    top, left, bottom, right = box
    inside = [(i, j) for i in range(top, bottom) for j in range(left, right)]
    pixels = [(i, j) for i in range(image.shape[0]) for j in range(image.shape[1])]
    peaks = [p for p in pixels if image[p] == image.max()]
    hits = sum(min(math.dist(p, q) for q in inside) <= tolerance for p in peaks)
    total = sum(max(float(image[p]), 0) for p in pixels)
    return hits / len(peaks), sum(max(float(image[p]), 0) for p in inside) / total if total else 0


@settings(max_examples=40, deadline=None)
@given(data=st.data(), H=st.integers(1, 5), W=st.integers(1, 6), tolerance=st.sampled_from([0, 1, 1.5, 2, 4]))
def test_equals_pixel_by_pixel(data: st.DataObject, H: int, W: int, tolerance: float) -> None:
    values = data.draw(st.lists(st.integers(-3, 3), min_size=2 * H * W, max_size=2 * H * W))
    maps = torch.tensor(values, dtype=torch.float64).view(2, H, W)
    corners = [(data.draw(st.integers(0, H - 1)), data.draw(st.integers(0, W - 1))) for _ in range(2)]
    boxes = [[t, l, data.draw(st.integers(t + 1, H)), data.draw(st.integers(l + 1, W))] for t, l in corners]
    expected = torch.tensor([slow(m, box, tolerance) for m, box in zip(maps, boxes, strict=True)], dtype=torch.float64)
    assert (pointing_game(maps, torch.tensor(boxes), tolerance=tolerance) - expected[:, 0]).abs().max() < 1e-12
    assert (energy_in_box(maps, torch.tensor(boxes)) - expected[:, 1]).abs().max() < 1e-12


def test_law_scaling_a_map_changes_neither_and_swapping_axes_swaps_the_box() -> None:
    maps = torch.randn(5, 7, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    boxes = torch.tensor([[0, 0, 3, 4], [2, 5, 7, 9], [1, 1, 2, 8], [3, 0, 6, 2], [0, 8, 7, 9]])
    for measure in (pointing_game, energy_in_box):
        assert (measure(3 * maps, boxes) - measure(maps, boxes)).abs().max() < 1e-12
        assert torch.equal(
            measure(maps.mT.contiguous(), boxes[:, [1, 0, 3, 2]]).round(decimals=9),
            measure(maps, boxes).round(decimals=9),
        )
    whole = torch.tensor([[0, 0, 7, 9]] * 5)
    assert (energy_in_box(maps, whole) - 1).abs().max() < 1e-12
    assert (pointing_game(maps, whole) == 1).all()


@pytest.mark.parametrize(
    ("maps", "boxes", "sentence"),
    [
        (MAPS[0], BOXES, "maps: got torch.float32 [3, 4], needs floats [N H W]; sum over colours or upsample to"),
        (MAPS[:, None], BOXES, "maps: got torch.float32 [3, 1, 3, 4], needs floats [N H W]"),
        (MAPS / 0, BOXES, "maps: got NaN or infinity, needs finite values"),
        (MAPS.numpy(), BOXES, "maps: got ndarray, needs floats [N H W]"),
        (MAPS, BOXES[:2], "boxes: got torch.int64 [2, 4], needs torch.int64 [3, 4]; give (top, left, bottom, right)"),
        (MAPS, BOXES.float(), "boxes: got torch.float32 [3, 4], needs torch.int64 [3, 4]"),
        (
            MAPS,
            BOXES + 1,
            "boxes: got [2, 2, 4, 4], but needs 0 <= top < bottom <= 3 and 0 <= left < right <= 4; bottom",
        ),
        (MAPS, BOXES * 0, "boxes: got [0, 0, 0, 0], but needs 0 <= top < bottom <= 3"),
    ],
)
def test_arguments_that_do_not_fit(maps: Tensor, boxes: Tensor, sentence: str) -> None:
    for measure in (pointing_game, energy_in_box):
        with pytest.raises(ValueError) as error:  # noqa: PT011
            measure(maps, boxes)
        assert str(error.value).startswith(sentence)


@pytest.mark.parametrize("tolerance", [-1, float("nan")])
def test_tolerance_below_zero_is_refused(tolerance: float) -> None:
    with pytest.raises(ValueError, match=r"tolerance: got .*, needs pixels from 0; try 0\."):
        pointing_game(MAPS, BOXES, tolerance=tolerance)

"""Wrong answers of lesson 12, guided Grad-CAM, on plain tensors: enlarge and multiply."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from autograder.exercises.grad_cam_part_misconceptions import min_max, over_maximum
from autograder.records import Misconception

# 1. upsample(maps, size) -> U


def resized(maps: Tensor, size: tuple[int, int], mode: str = "bilinear", **options) -> Tensor:
    """Maps [N h w] on `size` = (H, W) pixels by F.interpolate."""
    return F.interpolate(maps[:, None], tuple(size), mode=mode, **options)[:, 0]


def enlarged(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """U [N H W], as the formula has it."""
    return resized(maps, size, align_corners=False)


def _placed(maps: Tensor, size: tuple[int, int], centre: float, *, inside: bool) -> Tensor:
    """Bilinear between neighbours at u = (i + centre) h/H - centre; `inside`: u is kept on the grid."""
    for axis, target in ((1, size[0]), (2, size[1])):
        places = maps.shape[axis]
        u = (torch.arange(target, dtype=maps.dtype) + centre) * places / target - centre
        u = u.clamp(0, places - 1) if inside else u
        low = u.floor().clamp(0, places - 2).long()
        share = (u - low).view([-1 if a == axis else 1 for a in range(3)])
        maps = maps.index_select(axis, low) * (1 - share) + maps.index_select(axis, low + 1) * share
    return maps


def _zero_border(maps, size):
    rows, columns = (((torch.arange(n, dtype=maps.dtype) + 0.5) / n * 2 - 1) for n in size)
    grid = torch.stack([columns.expand(len(rows), -1), rows[:, None].expand(-1, len(columns))], dim=-1)
    return F.grid_sample(maps[:, None], grid.expand(len(maps), -1, -1, -1), align_corners=False)[:, 0]


def _one_axis_only(maps, size):
    return resized(resized(maps, (maps.shape[1], size[1]), align_corners=False), size, "nearest")


def _sum_kept(maps, size):
    return enlarged(maps, size) * maps[0].numel() / (size[0] * size[1])


_NEAREST = (
    "You copied the nearest place for each pixel, so that U is made of blocks. Bilinear mixes the four places round "
)

UPSAMPLE = (
    Misconception(
        "nearest", lambda maps, size: resized(maps, size, "nearest"), _NEAREST + 'the pixel: mode="bilinear".'
    ),
    Misconception(
        "nearest_exact",
        lambda maps, size: resized(maps, size, "nearest-exact"),
        _NEAREST + "the pixel, with weights that fall with the distance.",
    ),
    Misconception(
        "area",
        lambda maps, size: resized(maps, size, "area"),
        'You averaged over areas (mode="area"), which makes blocks when a map grows. Use mode="bilinear".',
    ),
    Misconception(
        "corners_aligned",
        lambda maps, size: resized(maps, size, align_corners=True),
        "You put the centres of the corner places on the centres of the corner pixels (align_corners=True). A place "
        "covers H/h pixels, and its centre is their middle: u = (i + 1/2) h/H - 1/2, align_corners=False.",
    ),
    Misconception(
        "no_half_pixel",
        lambda maps, size: _placed(maps, size, 0.0, inside=True),
        "You used u = i·h/H. Centres lie at i + 1/2: u = (i + 1/2) h/H - 1/2. Without the halves the whole map moves "
        "up and to the left.",
    ),
    Misconception(
        "extrapolated",
        lambda maps, size: _placed(maps, size, 0.5, inside=False),
        "At the border you went on along the slope, beyond the outermost centres. u is kept between 0 and h - 1: "
        "there the border value holds.",
    ),
    Misconception(
        "zero_border",
        _zero_border,
        "Your map fades to 0 at the border, as if zeros stood outside the grid. u is kept between 0 and h - 1: beyond "
        "the outermost centres the border value holds.",
    ),
    Misconception(
        "bicubic",
        lambda maps, size: resized(maps, size, "bicubic", align_corners=False),
        "You used bicubic interpolation. It swings over the values of L and even below 0. Bilinear stays between them.",
    ),
    Misconception(
        "one_axis_only",
        _one_axis_only,
        "Along the rows you copied the nearest place; only the columns are interpolated. Bilinear mixes along both.",
    ),
    Misconception(
        "rows_for_columns",
        lambda maps, size: enlarged(maps.transpose(1, 2), size),
        "Rows and columns of L are swapped: L is [N h w], h goes to H and w to W.",
    ),
    Misconception(
        "size_turned_round",
        lambda maps, size: enlarged(maps, size[::-1]),
        "Your maps are [N W H]. size is (H, W): rows first.",
    ),
    Misconception(
        "channel_axis_kept",
        lambda maps, size: enlarged(maps, size)[:, None],
        "The numbers are right, but the axis of size 1 that F.interpolate needs is still there: U is [N H W].",
    ),
    Misconception(
        "divided_by_maximum",
        lambda maps, size: over_maximum(enlarged(maps, size)),
        "You divided each map by its maximum. U keeps the values of L: only the number of pixels changes.",
    ),
    Misconception(
        "min_max",
        lambda maps, size: min_max(enlarged(maps, size)),
        "You scaled each map to [0, 1]. U keeps the values of L: only the number of pixels changes.",
    ),
    Misconception(
        "sum_kept",
        _sum_kept,
        "You divided by the growth of the area, (H·W)/(h·w), so that the sum of the map stays. U keeps the values: "
        "between two places with 3 lies a 3.",
    ),
)

# 2. combine(guided, maps) -> G


def over_largest(values: Tensor) -> Tensor:
    """Each image's values divided by their largest |value|."""
    return values / values.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)


COMBINE = (
    Misconception(
        "adds",
        lambda guided, maps: guided + maps[:, None],
        "You added R and U. The product is what makes G zero where Grad-CAM sees nothing: G = R·U.",
    ),
    Misconception(
        "maps_as_colours",
        lambda guided, maps: guided * maps,
        "guided * maps lines the N maps up with the C colours, which goes unnoticed where N = C. Give U an axis for "
        "the colours: maps[:, None].",
    ),
    Misconception(
        "absolute",
        lambda guided, maps: guided.abs() * maps[:, None],
        "You took |R|. G keeps the signs of R: say |·| only for a picture.",
    ),
    Misconception(
        "positive_only",
        lambda guided, maps: guided.clamp(min=0) * maps[:, None],
        "You dropped the negative values of R. G keeps both signs.",
    ),
    Misconception(
        "mask",
        lambda guided, maps: guided * (maps > 0)[:, None],
        "You used U as a mask: R where U > 0. The formula multiplies by the value of U, so that a place that speaks "
        "weakly for the class weighs little.",
    ),
    Misconception(
        "map_over_maximum",
        lambda guided, maps: guided * over_maximum(maps)[:, None],
        "You divided U by its maximum before you multiplied. G = R·U has raw factors, so that maps can be compared.",
    ),
    Misconception(
        "map_min_max",
        lambda guided, maps: guided * min_max(maps)[:, None],
        "You scaled U to [0, 1] before you multiplied. G = R·U has raw factors, so that maps can be compared.",
    ),
    Misconception(
        "guided_over_maximum",
        lambda guided, maps: over_largest(guided) * maps[:, None],
        "You divided R by its largest |value| before you multiplied. G = R·U has raw factors.",
    ),
    Misconception(
        "result_over_maximum",
        lambda guided, maps: over_largest(guided * maps[:, None]),
        "You divided G by its largest |value|. It is returned raw; scaling is for the picture only.",
    ),
    Misconception(
        "one_plus_map",
        lambda guided, maps: guided * (1 + maps[:, None]),
        "You multiplied by 1 + U, so that R shows through where U = 0. G = R·U is 0 there.",
    ),
    Misconception(
        "sum_over_colours",
        lambda guided, maps: (guided * maps[:, None]).sum(1),
        "You summed over the colours. G is [N C H W], like R.",
    ),
    Misconception(
        "mean_over_colours",
        lambda guided, maps: guided.mean(1) * maps,
        "You averaged R over the colours. G is [N C H W], like R.",
    ),
    Misconception(
        "largest_colour",
        lambda guided, maps: guided.abs().amax(1) * maps,
        "You took the largest |value| of the colours, as a saliency map does. G is [N C H W], like R.",
    ),
    Misconception(
        "first_map",
        lambda guided, maps: guided * maps[0],
        "You used the first image's U for every image. Image n has its own map: U[n].",
    ),
    Misconception(
        "mean_map",
        lambda guided, maps: guided * maps.mean(0),
        "You averaged U over the batch. Image n has its own map: U[n].",
    ),
)

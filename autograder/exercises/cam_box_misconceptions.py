"""Wrong boxes that students of the lesson on class activation maps draw, and what each of them is told."""

from __future__ import annotations

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from skimage.measure import label, regionprops

from autograder.exercises.cam_fixtures import enlarged
from autograder.records import Misconception as M


def _resized(heatmap, size, **options):
    return F.interpolate(heatmap[None, None], size=size, **options)[0, 0]


def _largest(regions):
    return max(regions, key=lambda region: region.area)


def _box_of_mask(mask, choose=_largest):
    """Box of the chosen connected part of a mask."""
    regions = regionprops(label(mask.cpu().numpy(), connectivity=1))
    return torch.tensor(choose(regions).bbox if regions else (0, 0, 0, 0))


def _box(heatmap, *, size, fraction, enlarge=enlarged, threshold=lambda m, f: f * m.max(), choose=_largest):
    """The right box, with a place for one mistake; an enlarged map without a positive value has an empty box."""
    large = enlarge(heatmap, size)
    if large.max() <= 0:
        return torch.zeros(4, dtype=torch.int64)
    return _box_of_mask(large > threshold(large, fraction), choose)


def _boxing(**wrong):
    """A wrong `box_from_map` that differs from the right one in one option of `_box`."""

    def box_from_map(heatmap, *, size, fraction):
        return _box(heatmap, size=size, fraction=fraction, **wrong)

    return box_from_map


def _rearranged(change):
    """A wrong `box_from_map` that writes the right box down wrongly."""

    def box_from_map(heatmap, *, size, fraction):
        return change(_box(heatmap, size=size, fraction=fraction))

    return box_from_map


def _all_components(regions):
    corners = torch.tensor([region.bbox for region in regions])
    return SimpleNamespace(bbox=(*corners[:, :2].amin(0).tolist(), *corners[:, 2:].amax(0).tolist()))


def _threshold_first(heatmap, *, size, fraction):
    mask = (heatmap > fraction * heatmap.max().clamp_min(0)).to(heatmap)
    return _box_of_mask(enlarged(mask, size) > 0.5)


def _from_the_small_map(heatmap, *, size, fraction):
    return _box(heatmap, size=size, fraction=fraction, threshold=lambda m, f: f * heatmap.max())


def _eight_bits(heatmap, size):
    large = enlarged(heatmap, size).clamp_min(0)
    return (255 * large / large.max().clamp_min(1e-12)).round()


def _holding_the_maximum(heatmap, *, size, fraction):
    highest = divmod(int(enlarged(heatmap, size).argmax()), size[1])
    return _box(heatmap, size=size, fraction=fraction, choose=lambda regions: _region_at(regions, *highest))


def _region_at(regions, row, column):
    return next(region for region in regions if any((point == (row, column)).all() for point in region.coords))


def _area_of_box(region):
    top, left, bottom, right = region.bbox
    return (bottom - top) * (right - left)


def _most_of_the_map(heatmap, *, size, fraction):
    large = enlarged(heatmap, size)
    return _box(
        heatmap,
        size=size,
        fraction=fraction,
        choose=lambda rs: max(rs, key=lambda r: float(large[tuple(torch.from_numpy(r.coords).T)].sum())),
    )


BOX = (
    M("fraction_of_range", _boxing(threshold=lambda m, f: m.min() + f * (m.max() - m.min())),
      "You thresholded at a fraction of the range, min + fraction · (max - min); the rule is fraction · max M_c, "
      "and negative values stay out."),
    M("fraction_not_times_maximum", _boxing(threshold=lambda m, f: f),
      "You compared with `fraction` itself; the threshold is fraction · max M_c."),
    M("maximum_of_absolute_values", _boxing(threshold=lambda m, f: f * m.abs().max()),
      "You took fraction · max |M_c|; a large negative value then raises the threshold: it is fraction · max M_c."),
    M("quantile", _boxing(threshold=lambda m, f: m.flatten().quantile(1 - f)),
      "You kept the top `fraction` of the pixels; the threshold is a fraction of the largest value: fraction · max "
      "M_c."),
    M("all_components", _boxing(choose=_all_components),
      "Your box holds every pixel above the threshold; take the largest connected part only."),
    M("smallest_component", _boxing(choose=lambda rs: min(rs, key=lambda r: r.area)),
      "You took the smallest connected part; the box belongs to the one with the most pixels."),
    M("first_component", _boxing(choose=lambda rs: rs[0]),
      "You took the first connected part that the labelling found; take the one with the most pixels."),
    M("component_of_the_maximum", _holding_the_maximum,
      "You took the part that holds the maximum; the rule asks for the part with the most pixels, which may be "
      "another one."),
    M("widest_box", _boxing(choose=lambda rs: max(rs, key=_area_of_box)),
      "You took the connected part with the largest box; the rule asks for the part with the most pixels: a thin, "
      "long one has a large box and few of them."),
    M("largest_sum", _most_of_the_map,
      "You took the connected part with the largest sum of M_c; the rule counts its pixels, not their values."),
    M("threshold_of_the_small_map", _from_the_small_map,
      "You took the maximum before enlarging, which may lie between two pixels; the threshold is fraction · the "
      "maximum of the enlarged map."),
    M("eight_bits", _boxing(enlarge=_eight_bits),
      "You rounded the map to whole numbers from 0 to 255 before you compared; values just above the threshold fall "
      "on it. Compare M_c as it is."),
    M("threshold_included", _boxing(threshold=lambda m, f: f * m.max() - 1e-9),
      "You asked for M_c ≥ fraction · max M_c; the rule is M_c > fraction · max M_c. With fraction 0 the difference "
      "is every place that a ReLU has set to 0."),
    M("last_pixel_included", _rearranged(lambda box: box - torch.tensor([0, 0, 1, 1]) * (box.sum() > 0)),
      "Your bottom and right are the last pixel inside; they are exclusive: one more, so that map[top:bottom, "
      "left:right] is the box."),
    M("columns_before_rows", _rearranged(lambda box: box[[1, 0, 3, 2]]),
      "You wrote (left, top, right, bottom); the order is (top, left, bottom, right): rows first."),
    M("height_and_width", _rearranged(lambda box: torch.cat([box[:2], box[2:] - box[:2]])),
      "You wrote (top, left, height, width); the last two are bottom and right, both exclusive."),
    M("size_swapped", _boxing(enlarge=lambda m, size: enlarged(m, size[::-1])),
      "You enlarged to (W, H); `size` is (H, W): rows first."),
    M("nearest_upsampling", _boxing(enlarge=lambda m, size: _resized(m, size, mode="nearest")),
      "Your box follows whole grid cells: you enlarged with nearest (or cut before it). Enlarge with bilinear, then "
      "cut."),
    M("threshold_before_upsampling", _threshold_first,
      "You cut the small map and enlarged the mask; enlarge the map first, then compare with fraction · max M_c."),
    M("corners_aligned", _boxing(enlarge=lambda m, size: _resized(m, size, mode="bilinear", align_corners=True)),
      "You enlarged with align_corners=True, which stretches the grid to the border pixels; here "
      "align_corners=False."),
    M("not_enlarged", _boxing(enlarge=lambda m, size: m),
      "Your box counts cells of the layer's grid; enlarge the map to `size` first, the box is in pixels."),
    M("absolute_values", _boxing(enlarge=lambda m, size: enlarged(m, size).abs()),
      "You took |M_c|, so places that speak against class c are inside; only large positive values count."),
)  # fmt: skip

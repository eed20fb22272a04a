"""Wrong answers of lesson 1, filters: scaling a bank of filters, and laying it out as one picture."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception
from cnnviz_ref.filters import scale_filters

FILTER = (1, 2, 3)
"""The axes of one filter: colours, rows, columns."""


def stretched(W: Tensor, axes: tuple[int, ...], constant: float = 0.5) -> Tensor:
    """W on [0, 1], with the extremes over these axes."""
    low, high = W.amin(axes, keepdim=True), W.amax(axes, keepdim=True)
    return torch.where(high > low, (W - low) / (high - low), constant)


def largest(W: Tensor) -> Tensor:
    """max |W_k| of each filter, [K 1 1 1]; 1 for a filter of zeros."""
    size = W.abs().amax(FILTER, keepdim=True)
    return torch.where(size > 0, size, 1.0)


# 1. scale_filters(filters) -> the filters on [0, 1]


def _guarded(change: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """A change of (W, minimum, maximum), and 0.5 for a constant filter."""

    def wrong(filters: Tensor) -> Tensor:
        low, high = filters.amin(FILTER, keepdim=True), filters.amax(FILTER, keepdim=True)
        return torch.where(high > low, change(filters, low, high), 0.5)

    return wrong


def _unguarded(filters):
    low, high = filters.amin(FILTER, keepdim=True), filters.amax(FILTER, keepdim=True)
    return (filters - low) / (high - low)


def _range(filters):
    return filters.amax(FILTER, keepdim=True) - filters.amin(FILTER, keepdim=True)


def _standardised(filters):
    spread = filters.std(FILTER, keepdim=True)
    return torch.where(spread > 0, (filters - filters.mean(FILTER, keepdim=True)) / spread, 0.5)


SCALE = (
    Misconception(
        "global_scale",
        lambda filters: stretched(filters, (0, 1, 2, 3)),
        "You took one minimum and one maximum over all filters. Every filter k has its own: the extremes run over "
        "c, i, j and not over k.",
    ),
    Misconception(
        "clamped",
        lambda filters: filters.clamp(0, 1),
        "You clamped to [0, 1] without scaling: every negative weight became 0. Subtract min W_k, then divide by "
        "max W_k - min W_k.",
    ),
    Misconception(
        "each_colour",
        lambda filters: stretched(filters, (2, 3)),
        "You scaled every colour c by itself, and the colours lost their balance. The extremes of a filter run over "
        "c, i and j together.",
    ),
    Misconception(
        "across_filters",
        lambda filters: stretched(filters, (0,)),
        "You took the extremes over k, the filters, at each place. They run over c, i, j inside one filter: axes 1, "
        "2 and 3.",
    ),
    Misconception(
        "flattened_order",
        lambda filters: stretched(filters, (1,)),
        "You took the extremes over the colours alone. They run over c, i and j: axes 1, 2 and 3.",
    ),
    Misconception(
        "only_shifted",
        _guarded(lambda W, low, high: W - low),
        "You subtracted min W_k and did not divide. The division by max W_k - min W_k makes the largest weight 1.",
    ),
    Misconception(
        "only_divided",
        _guarded(lambda W, low, high: W / (high - low)),
        "You divided by max W_k - min W_k and did not subtract min W_k first: the smallest weight must become 0.",
    ),
    Misconception(
        "over_maximum",
        _guarded(lambda W, low, high: (W - low) / high),
        "You divided by max W_k. After min W_k is subtracted the largest value is max W_k - min W_k: divide by that.",
    ),
    Misconception(
        "round_zero",
        lambda filters: 0.5 + filters / (2 * largest(filters)),
        "You put zero at mid-grey and divided by max |W_k|. That is another convention; here the smallest weight "
        "becomes 0 and the largest 1.",
    ),
    Misconception(
        "minus_one_to_one",
        lambda filters: 2 * scale_filters(filters) - 1,
        "You scaled to [-1, 1]. A picture needs [0, 1]: (W - min W_k) / (max W_k - min W_k), no more.",
    ),
    Misconception(
        "turned_round",
        _guarded(lambda W, low, high: (high - W) / (high - low)),
        "Bright and dark are swapped: you subtracted W from max W_k. Subtract min W_k from W.",
    ),
    Misconception(
        "absolute_weights",
        lambda filters: scale_filters(filters.abs()),
        "You scaled |W|. A weight of -2 and one of +2 do opposite things, and the picture must show them apart: keep "
        "the sign.",
    ),
    Misconception(
        "standardised",
        _standardised,
        "You subtracted the mean and divided by the standard deviation. That leaves values outside [0, 1]; use the "
        "minimum and the maximum.",
    ),
    Misconception(
        "sigmoid",
        lambda filters: filters.sigmoid(),
        "You put a sigmoid on the weights. It squeezes weak and strong filters differently; the formula is a straight "
        "line from min W_k to max W_k.",
    ),
    Misconception(
        "nan_for_constant",
        _unguarded,
        "A filter whose weights are all equal gave 0/0 = NaN. It becomes 0.5: test max W_k > min W_k.",
    ),
    Misconception(
        "zero_for_constant",
        lambda filters: stretched(filters, FILTER, 0.0),
        "A filter whose weights are all equal became 0 (black). Its weights are neither the low nor the high end of "
        "anything: make it 0.5, mid-grey.",
    ),
    Misconception(
        "flat_for_constant",
        lambda filters: torch.where(_range(filters) > 1e-6, scale_filters(filters), 0.5),
        "You took a filter with small weights for a constant one. However near to each other its weights are, where "
        "max W_k > min W_k the filter is scaled like any other.",
    ),
    Misconception(
        "number_added_below",
        _guarded(lambda W, low, high: (W - low) / (high - low + 1e-6)),
        "You added a small number to max W_k - min W_k. A filter with small weights loses its range by it: divide by "
        "max W_k - min W_k alone, and leave constant filters out by a test.",
    ),
    Misconception(
        "channels_last",
        lambda filters: scale_filters(filters).permute(0, 2, 3, 1),
        "The numbers are right, but the colours are the last axis now. Keep [K C kh kw]: matplotlib's order comes when "
        "you draw.",
    ),
)


# 2. tile(filters, columns) -> one picture


def laid_out(
    filters: Tensor, columns: int, *, border: int = 1, value: float = 1.0, empty: float = 1.0, down: bool = False
) -> Tensor:
    """The picture [C H W]; `down` fills column after column."""
    K, C, kh, kw = filters.shape
    rows = -(-K // columns)
    tiles = filters.new_full((rows * columns, C, kh + border, kw + border), value)
    tiles[:, :, :kh, :kw] = empty
    tiles[:K, :, :kh, :kw] = filters
    if down:
        tiles = tiles.unflatten(0, (columns, rows)).transpose(0, 1).flatten(0, 1)
    whole = tiles.unflatten(0, (rows, columns)).permute(2, 0, 3, 1, 4)
    picture = whole.reshape(C, rows * (kh + border), columns * (kw + border))
    return picture[:, : rows * (kh + border) - border, : columns * (kw + border) - border]


def _rows_for_columns(filters, columns):
    return laid_out(filters, -(-len(filters) // columns))


def _frame(filters, columns):
    picture = laid_out(filters, columns)
    return torch.nn.functional.pad(picture, (1, 1, 1, 1), value=1.0)


def _below_and_right(filters, columns):
    return torch.nn.functional.pad(laid_out(filters, columns), (0, 1, 0, 1), value=1.0)


def _reshaped(filters, columns):
    """A reshape where the axes have to be permuted first: pixels of different filters are mixed."""
    K, C, kh, kw = filters.shape
    rows = -(-K // columns)
    tiles = filters.new_ones(rows * columns, C, kh + 1, kw + 1)
    tiles[:K, :, :kh, :kw] = filters
    return tiles.reshape(C, rows * (kh + 1), columns * (kw + 1))[:, :-1, :-1]


def _full_rows_only(filters, columns):
    return laid_out(filters[: len(filters) // columns * columns], columns)


TILE = (
    Misconception(
        "down_then_across",
        lambda filters, columns: laid_out(filters, columns, down=True),
        "You filled the picture column after column. Filter k stands in row k // columns and column k % columns: "
        "across first, then down.",
    ),
    Misconception(
        "rows_for_columns",
        _rows_for_columns,
        "Rows and columns of the tiling are swapped: `columns` is how many filters stand side by side.",
    ),
    Misconception(
        "no_border",
        lambda filters, columns: laid_out(filters, columns, border=0),
        "There is no border. One pixel of white parts neighbours, so that a tile starts every kh + 1 rows and every "
        "kw + 1 columns.",
    ),
    Misconception(
        "border_of_two",
        lambda filters, columns: laid_out(filters, columns, border=2),
        "The border is two pixels wide: one from each neighbour. It is one pixel in all.",
    ),
    Misconception(
        "frame",
        _frame,
        "There is a frame round the whole picture. The border stands between filters only: H = rows·(kh + 1) - 1 and "
        "W = columns·(kw + 1) - 1.",
    ),
    Misconception(
        "border_at_the_end",
        _below_and_right,
        "One border too many, below and at the right: between n filters there are n - 1 borders. H = rows·(kh + 1) - 1 "
        "and W = columns·(kw + 1) - 1.",
    ),
    Misconception(
        "black_border",
        lambda filters, columns: laid_out(filters, columns, value=0.0, empty=0.0),
        "Border and empty places are black, 0. They are white here, 1: start from torch.ones.",
    ),
    Misconception(
        "grey_border",
        lambda filters, columns: laid_out(filters, columns, value=0.5, empty=0.5),
        "Border and empty places are grey, 0.5, and so is a constant filter: they could not be told apart. Use white, "
        "1.",
    ),
    Misconception(
        "black_places",
        lambda filters, columns: laid_out(filters, columns, empty=0.0),
        "The places after the last filter are black, as if there were filters of zeros. Leave them white, 1, like the "
        "border.",
    ),
    Misconception(
        "last_row_dropped",
        _full_rows_only,
        "Filters are missing: the last row is not full, and you dropped it. The number of rows is K / columns, "
        "rounded up.",
    ),
    Misconception(
        "reshape_for_permute",
        _reshaped,
        "You used a reshape where axes have to change places, and it cut the filters into strips: reshape keeps the "
        "numbers in their order in memory. Copy tile by tile, or permute before you reshape.",
    ),
    Misconception(
        "filters_transposed",
        lambda filters, columns: laid_out(filters.transpose(2, 3), columns),
        "Every filter is turned on its side: rows and columns inside a tile are swapped. i runs down and j across.",
    ),
    Misconception(
        "last_filter_first",
        lambda filters, columns: laid_out(filters.flip(0), columns),
        "The filters are in reverse order: filter 0 stands at the top left.",
    ),
    Misconception(
        "scaled_again",
        lambda filters, columns: laid_out(scale_filters(filters), columns),
        "You scaled the filters in here as well. `tile` only puts them in their places and changes no value.",
    ),
    Misconception(
        "narrowed",
        lambda filters, columns: laid_out(filters, min(columns, len(filters))),
        "You made the picture as narrow as the filters there are. W = columns·(kw + 1) - 1 also where K is smaller "
        "than `columns`: the empty places stay white.",
    ),
    Misconception(
        "clamped",
        lambda filters, columns: laid_out(filters.clamp(0, 1), columns),
        "You clamped the values to [0, 1]. `tile` only puts the filters in their places and changes no value.",
    ),
    Misconception(
        "channels_last",
        lambda filters, columns: laid_out(filters, columns).permute(1, 2, 0),
        "The colours are the last axis of your picture. Here it is [C H W]; matplotlib's order comes when you draw.",
    ),
)

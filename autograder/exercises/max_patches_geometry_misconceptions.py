"""Wrong answers of lesson 05 on geometry: `receptive_field` and `unit_box`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from autograder.exercises.max_patches_parts import receptive_field, unit_box
from autograder.records import Misconception

# 1. receptive_field(chain) -> size r, jump J, start t

Step = Callable[[int, int, float, tuple[int, int, int, int]], tuple[int, int, float]]
"""(r, J, t) and a layer (f, s, p, d) -> the next (r, J, t)."""


def walked(step: Step, *, size: int = 1, start: float = 0.0):
    """A recursion over the chain with another step or another beginning."""

    def field(chain):
        r, J, t = size, 1, start
        for layer in chain:
            r, J, t = step(r, J, t, layer)
        return r, J, t

    return field


def _right(r, J, t, layer):
    f, s, p, d = layer
    return r + (f - 1) * d * J, J * s, t + ((f - 1) * d / 2 - p) * J


def _no_jump(r, J, t, layer):
    f, s, p, d = layer
    return r + (f - 1) * d, J * s, t + ((f - 1) * d / 2 - p)


def _jump_for_start_only(r, J, t, layer):
    f, _, _, d = layer
    return r + (f - 1) * d, *_right(r, J, t, layer)[1:]


def _jump_first(r, J, t, layer):
    f, s, p, d = layer
    J = J * s
    return r + (f - 1) * d * J, J, t + ((f - 1) * d / 2 - p) * J


def _kernel_for_reach(r, J, t, layer):
    f, s, p, d = layer
    return r + f * d * J, J * s, t + ((f - 1) * d / 2 - p) * J


def _no_dilation(r, J, t, layer):
    f, s, p, _ = layer
    return _right(r, J, t, (f, s, p, 1))


def _dilated_kernel(r, J, t, layer):
    f, s, p, d = layer
    return _right(r, J, t, (f * d, s, p, 1))


def _no_padding(r, J, t, layer):
    f, s, _, d = layer
    return _right(r, J, t, (f, s, 0, d))


def _padding_in_size(r, J, t, layer):
    r_next, J_next, t_next = _right(r, J, t, layer)
    return r_next + 2 * layer[2] * J, J_next, t_next


def _padding_in_pixels(r, J, t, layer):
    f, s, p, d = layer
    return r + (f - 1) * d * J, J * s, t + (f - 1) * d / 2 * J - p


def _padding_added(r, J, t, layer):
    f, s, p, d = layer
    return _right(r, J, t, (f, s, -p, d))


def _strides_added(r, J, t, layer):
    r_next, _, t_next = _right(r, J, t, layer)
    return r_next, J + layer[1] - 1, t_next


def _stride_of_this_layer(r, J, t, layer):
    r_next, _, t_next = _right(r, J, t, layer)
    return r_next, layer[1], t_next


def _first_pixel(r, J, t, layer):
    r_next, J_next, _ = _right(r, J, t, layer)
    return r_next, J_next, t - layer[2] * J


def _half_rounded(r, J, t, layer):
    f, s, p, d = layer
    return r + (f - 1) * d * J, J * s, t + ((f - 1) * d // 2 - p) * J


def _whole_kernel_halved(r, J, t, layer):
    f, s, p, d = layer
    return r + (f - 1) * d * J, J * s, t + (f * d / 2 - p) * J


FIELD = (
    Misconception(
        "no_jump",
        walked(_no_jump),
        "You left out the jump J. A step on the grid below is J pixels wide: r ← r + (f − 1)·d·J, and the same J in t.",
    ),
    Misconception(
        "jump_in_start_only",
        walked(_jump_for_start_only),
        "t uses the jump J, but r does not: r ← r + (f − 1)·d·J, since the taps of the kernel lie J pixels apart.",
    ),
    Misconception(
        "jump_first",
        walked(_jump_first),
        "You multiplied J by this layer's stride before you used it: r and t are one stride off. A kernel steps on "
        "the grid below it, whose jump is the old J; update J last.",
    ),
    Misconception(
        "kernel_for_reach",
        walked(_kernel_for_reach),
        "You added f·d·J to r. From the first to the last of f taps there are only f − 1 steps: r ← r + (f − 1)·d·J.",
    ),
    Misconception(
        "dilation_ignored",
        walked(_no_dilation),
        "You left out the dilation d. It spreads the taps of the kernel: from the first to the last it is (f − 1)·d.",
    ),
    Misconception(
        "dilated_kernel",
        walked(_dilated_kernel),
        "You took a dilated kernel for one of f·d taps in a row. It reaches (f − 1)·d steps, and f·d − 1 is more.",
    ),
    Misconception(
        "padding_ignored",
        walked(_no_padding),
        "You left out the padding p. It moves unit 0 towards the border and beyond: t ← t + ((f − 1)·d/2 − p)·J.",
    ),
    Misconception(
        "padding_in_size",
        walked(_padding_in_size),
        "You made r larger by the padding. Padding moves a window, it does not widen it: p belongs in t alone.",
    ),
    Misconception(
        "padding_in_pixels",
        walked(_padding_in_pixels),
        "You took p off t without the jump. The padding is counted in steps of the grid below, and each is J "
        "pixels: − p·J.",
    ),
    Misconception(
        "padding_added",
        walked(_padding_added),
        "You added the padding in t. It puts places before the first one, so unit 0 looks further up: subtract p·J.",
    ),
    Misconception(
        "strides_added",
        walked(_strides_added),
        "You added the strides up. They multiply: two layers of stride 2 make a jump of 4, J ← J·s.",
    ),
    Misconception(
        "stride_of_the_layer",
        walked(_stride_of_this_layer),
        "Your J is the stride of one layer alone. The jump is the product of all strides so far: J ← J·s.",
    ),
    Misconception(
        "from_the_top",
        lambda chain: receptive_field(chain[::-1]),
        "You went through the chain from its end. With this recursion the first layer is the one nearest to the image.",
    ),
    Misconception(
        "begins_at_zero",
        walked(_right, size=0),
        "Your r began at 0. Before any layer a unit is a pixel, and it sees one pixel, itself: begin with r = 1.",
    ),
    Misconception(
        "begins_at_a_half",
        walked(_right, start=0.5),
        "Your t began at 0.5. Here the middle of pixel 0 has the number 0: begin with t = 0.",
    ),
    Misconception(
        "first_pixel_for_middle",
        walked(_first_pixel),
        "Your t is the first pixel that unit 0 sees. t is the middle of what it sees: add (f − 1)·d/2 steps of J.",
    ),
    Misconception(
        "whole_start",
        lambda chain: (*receptive_field(chain)[:2], float(math.floor(receptive_field(chain)[2]))),
        "You made t a whole number. With an even r the middle lies between two pixels, and t ends in .5.",
    ),
    Misconception(
        "half_rounded",
        walked(_half_rounded),
        "You rounded (f − 1)·d/2 down. An even kernel has its middle between two taps: keep the .5.",
    ),
    Misconception(
        "whole_kernel_halved",
        walked(_whole_kernel_halved),
        "You took f·d/2 for the way to the middle of the kernel. From the first of f taps it is (f − 1)·d/2.",
    ),
    Misconception(
        "last_layer_forgotten",
        lambda chain: receptive_field(chain[:-1]),
        "You left out the last layer of the chain. A unit that comes out of it has already gone through it.",
    ),
)


# 2. unit_box(i, j, size, jump, start) -> top, left, bottom, right


def _square(top: float, left: float, size: int) -> tuple[int, int, int, int]:
    top, left = math.floor(top), math.floor(left)
    return top, left, top + size, left + size


def _cut_at_the_border(i, j, size, jump, start):
    top, left, bottom, right = unit_box(i, j, size, jump, start)
    return max(top, 0), max(left, 0), bottom, right


def _pushed_inside(i, j, size, jump, start):
    top, left, _, _ = unit_box(i, j, size, jump, start)
    return _square(max(top, 0), max(left, 0), size)


def _last_included(i, j, size, jump, start):
    top, left, bottom, right = unit_box(i, j, size, jump, start)
    return top, left, bottom - 1, right - 1


def _columns_first(i, j, size, jump, start):
    return unit_box(j, i, size, jump, start)


def _height_and_width(i, j, size, jump, start):
    top, left, _, _ = unit_box(i, j, size, jump, start)
    return top, left, size, size


def _ends_apart(i, j, size, jump, start):
    top, left, bottom, right = unit_box(i, j, size, jump, start)
    return top, bottom, left, right


BOX = (
    Misconception(
        "columns_first",
        _columns_first,
        "You took j for the row. A place is (i, j), row and column: top and bottom come from i, left and right from j.",
    ),
    Misconception(
        "last_included",
        _last_included,
        "Your bottom and right are the last row and column that the unit sees. They are exclusive, one further, as in "
        "a slice: bottom = top + r.",
    ),
    Misconception(
        "cut_at_the_border",
        _cut_at_the_border,
        "You set what is below 0 to 0. The box keeps its size r and its place, so top and left may be negative: a "
        "unit at the border also looks at the padding.",
    ),
    Misconception(
        "pushed_inside",
        _pushed_inside,
        "You pushed the box into the image. The unit does not see those pixels: keep top and left negative.",
    ),
    Misconception(
        "start_is_first",
        lambda i, j, size, jump, start: _square(start + i * jump, start + j * jump, size),
        "You took t for the first pixel of the field. t is its middle: go back by (r − 1)/2.",
    ),
    Misconception(
        "half_of_r",
        lambda i, j, size, jump, start: _square(start - size / 2 + i * jump, start - size / 2 + j * jump, size),
        "You went back by r/2. From the middle of r pixels to the first of them it is (r − 1)/2.",
    ),
    Misconception(
        "no_jump",
        lambda i, j, size, jump, start: unit_box(i, j, size, 1, start),
        "You moved the box by i pixels. From one unit to the next it is J pixels: t + i·J.",
    ),
    Misconception(
        "side_by_side",
        lambda i, j, size, jump, start: unit_box(i, j, size, size, start),
        "You moved the box by r pixels a unit, as if fields did not overlap. It moves by the jump J: t + i·J.",
    ),
    Misconception(
        "start_in_steps",
        lambda i, j, size, jump, start: _square(
            (start + i) * jump - (size - 1) / 2, (start + j) * jump - (size - 1) / 2, size
        ),
        "You multiplied t by J as well. t is in pixels already: t + i·J.",
    ),
    Misconception(
        "start_ignored",
        lambda i, j, size, jump, start: _square(i * jump - (size - 1) / 2, j * jump - (size - 1) / 2, size),
        "You left out t, the middle of what unit 0 sees: the middle of unit i is t + i·J.",
    ),
    Misconception(
        "counted_from_one",
        lambda i, j, size, jump, start: unit_box(i - 1, j - 1, size, jump, start),
        "You counted units from 1. The first unit has i = 0, and its middle is t: t + i·J.",
    ),
    Misconception(
        "height_and_width",
        _height_and_width,
        "Your last two numbers are the height and the width. A box is (top, left, bottom, right): bottom = top + r.",
    ),
    Misconception(
        "ends_side_by_side",
        _ends_apart,
        "You returned (top, bottom, left, right). A box is (top, left, bottom, right).",
    ),
    Misconception(
        "row_for_both",
        lambda i, j, size, jump, start: unit_box(i, i, size, jump, start),
        "You used the row i for the columns too. left and right come from the column j.",
    ),
)


def mistake(name: str) -> Callable[..., Any]:
    """The wrong implementation of that name, the first one where both functions have it."""
    return next(known.wrong for known in (*FIELD, *BOX) if known.name == name)

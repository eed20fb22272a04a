"""Lesson 1, filters: the weights of a convolution as pictures, what they respond, and what they do not show."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from autograder.exercises import filters_fixtures as fixtures
from autograder.exercises import filters_misconceptions as mistakes
from autograder.exercises import filters_response_misconceptions as response_mistakes
from autograder.exercises.filters_questions import QUESTIONS
from autograder.exercises.telling import telling
from autograder.records import Call, Case, Exercise, Law, Lesson
from cnnviz_ref.filters import scale_filters as scaled

# References: the parts of the lesson, under the names that the student's functions have.


def scale_filters(filters: Tensor) -> Tensor:
    """S [K C kh kw]: every filter from its own minimum, 0, to its own maximum, 1."""
    return scaled(filters)


def tile(filters: Tensor, columns: int) -> Tensor:
    """P [C H W]: filter k in row k // columns and column k % columns, one white pixel between neighbours."""
    K, C, kh, kw = filters.shape
    rows = -(-K // columns)
    picture = filters.new_ones(C, rows * (kh + 1) - 1, columns * (kw + 1) - 1)
    for k in range(K):
        top, left = k // columns * (kh + 1), k % columns * (kw + 1)
        picture[:, top : top + kh, left : left + kw] = filters[k]
    return picture


def responses(images: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    """A [N K h w]: b_k + Σ_cij W_kcij I_c,sx+i,sy+j on the padded image."""
    return F.conv2d(images, weight, bias, stride=stride, padding=padding)


def channel_slices(weights: Tensor, k: int, n: int) -> Tensor:
    """S [n kh kw]: the strongest slices of filter k, 0 at mid-grey, on the filter's own scale."""
    W = weights[k]
    order = W.abs().sum(dim=(1, 2)).argsort(descending=True)[:n]
    largest = W.abs().max()
    return 0.5 + W[order] / (2 * torch.where(largest > 0, largest, torch.ones_like(largest)))


def _photo_call() -> Call:
    """The strongest filter of an ImageNet network's first layer, on a real photo."""
    network = cnnviz.efficientnet_lite0()
    weight = network.get_parameter("features.stem.conv.weight").detach()
    bias = network.get_parameter("features.stem.conv.bias").detach()
    k = int((weight.amax(dim=(1, 2, 3)) - weight.amin(dim=(1, 2, 3))).argmax())
    images = cnnviz.preprocess(cnnviz.photo("camera"))
    return Call({"images": images, "weight": weight[[k]], "bias": bias[[k]], "stride": 2, "padding": 1})


EXERCISES = (
    Exercise(
        id="filters.scale_filters",
        title="A filter bank on the range of a picture",
        reference=scale_filters,
        formula=r"S_{kcij} = \frac{W_{kcij} - \min W_k}{\max W_k - \min W_k}\,, \quad "
        r"S_k = \tfrac{1}{2} \text{ where } \max W_k = \min W_k",
        outputs=("S",),
        cases=(
            Case(
                "five filters on three colours, one constant and one nearly; one alone",
                telling(fixtures.colours, scale_filters, mistakes.SCALE),
            ),
            Case(
                "two colours, six filters, one constant and one nearly; one alone",
                telling(fixtures.other_banks, scale_filters, mistakes.SCALE),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "strength_is_lost",
                "A filter a·W_k + b with a > 0 looks like W_k: S(a·W + b) = S(W), whatever a and b each filter has.",
                fixtures.stretched_calls,
                fixtures.as_before,
            ),
            Law(
                "both_ends_are_reached",
                "Where the weights of a filter are not all equal, its smallest S is 0 and its largest S is 1.",
                fixtures.stretched_calls,
                fixtures.ends_reached,
            ),
        ),
        misconceptions=mistakes.SCALE,
        hints=(
            "A filter has the axes colour, row, column, and the bank has one more axis in front. Over which axes does "
            "the smallest weight of one filter run?",
            "Tensor.amin and Tensor.amax take several axes at once, and keepdim=True leaves [K 1 1 1], which lines up "
            "with [K C kh kw]. A constant filter needs 0.5 where the quotient is 0/0: torch.where.",
            "1. low = filters.amin(dim=(1, 2, 3), keepdim=True); high = the same with amax\n"
            "2. scaled = (filters - low) / (high - low)\n"
            "3. return torch.where(high > low, scaled, 0.5)",
        ),
        minutes=8,
        difficulty=1,
        lines=3,
    ),
    Exercise(
        id="filters.tile",
        title="All filters in one picture",
        reference=tile,
        formula=r"P_{c,\; r(k_h + 1) + i,\; s(k_w + 1) + j} = S_{kcij}\,, \quad k = r \cdot \text{columns} + s\,, "
        r"\quad P = 1 \text{ elsewhere}",
        outputs=("P",),
        cases=(
            Case(
                "five filters in rows of three; four in rows of two; one, and room for two",
                telling(fixtures.tiles, tile, mistakes.TILE),
            ),
            Case(
                "other sizes; a single row; two filters, and room for five",
                telling(fixtures.other_tiles, tile, mistakes.TILE),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "column_on_its_side",
                "One column of filters, turned on its side, is one row of the filters turned on their sides.",
                fixtures.in_a_row_calls,
                fixtures.turned_on_its_side,
            ),
            Law(
                "nothing_is_lost",
                "Apart from white, the picture holds what the filters hold: Σ (P - 1) = Σ (S - 1).",
                fixtures.nothing_lost_calls,
                fixtures.nothing_lost,
            ),
        ),
        special={"1 elsewhere": "black_places", "also where there are fewer": "narrowed"},
        misconceptions=mistakes.TILE,
        hints=(
            "Filters stand like words on a page: across first, then down. With 3 columns, in which row and which "
            "column does filter 4 stand? At which pixel does a tile begin if each is kh pixels high and one white "
            "pixel follows it?",
            "k // columns is the row and k % columns the column. Start from a white picture, torch.ones, of "
            "rows·(kh + 1) - 1 by columns·(kw + 1) - 1 pixels, and copy one filter after the other into a slice of it. "
            "The last row may not be full: round K / columns up.",
            "1. rows = (K + columns - 1) // columns\n"
            "2. picture = torch.ones(C, rows * (kh + 1) - 1, columns * (kw + 1) - 1, dtype=filters.dtype)\n"
            "3. for k: top = k // columns * (kh + 1); left = k % columns * (kw + 1)\n"
            "4. picture[:, top : top + kh, left : left + kw] = filters[k]\n"
            "5. return picture",
        ),
        minutes=12,
        difficulty=2,
        lines=7,
    ),
    Exercise(
        id="filters.responses",
        title="What a filter responds",
        reference=responses,
        formula=r"A^k_{xy} = b_k + \sum_{c,i,j} W_{kcij}\; I_{c,\; s x + i,\; s y + j}",
        outputs=("A",),
        cases=(
            Case(
                "three images, stride 3, padding 1; one image without padding",
                telling(fixtures.strided, responses, response_mistakes.RESPONSES),
            ),
            Case(
                "other sizes, stride 2, padding 2",
                telling(fixtures.other_strides, responses, response_mistakes.RESPONSES),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "a_single_pixel_shows_the_filter",
                "An image of zeros with a single 1 in colour c is answered by slice c of filter k, turned by 180 "
                "degrees: A^k - b_k holds the numbers W_kc from the last to the first.",
                fixtures.single_pixel_calls,
                fixtures.filter_turned,
            ),
            Law(
                "linear",
                "Apart from the bias, A is linear: A of I - 2·I' is A of I minus twice A of I'.",
                fixtures.linear_calls,
                fixtures.linear,
            ),
        ),
        misconceptions=response_mistakes.RESPONSES,
        hints=(
            "Put the filter on the top left corner of the padded image. Which pixels does it cover, and what is "
            "multiplied with what? Where does it lie for the next place, s pixels further?",
            "F.pad(images, (p, p, p, p)) adds p zeros on every side. Loop over i and j, the places inside the filter: "
            "for each, padded[:, :, i::s, j::s], cut to h rows and w columns, is the pixel that weight (i, j) meets at "
            "all places at once. h = (H + 2p - kh) // s + 1, and w likewise.",
            "1. padded = F.pad(images, (padding,) * 4); h, w as above\n"
            "2. A = zeros [N K h w] + bias[None, :, None, None]\n"
            "3. for i in range(kh): for j in range(kw):\n"
            "4.     pixels = padded[:, :, i::stride, j::stride][:, :, :h, :w]\n"
            '5.     A = A + torch.einsum("kc,nchw->nkhw", weight[:, :, i, j], pixels)\n'
            "6. return A",
        ),
        minutes=18,
        difficulty=2,
        lines=9,
        showcase=_photo_call,
    ),
    Exercise(
        id="filters.channel_slices",
        title="A deep filter, slice by slice",
        reference=channel_slices,
        formula=r"S_{cij} = \frac{1}{2} + \frac{W_{kcij}}{2 \max_{c,i,j} |W_{kcij}|} \quad "
        r"\text{for the } n \text{ slices } c \text{ with the largest } \sum_{ij} |W_{kcij}|",
        outputs=("S",),
        cases=(
            Case(
                "three slices of one of five filters; a filter of zeros; a tiny one",
                telling(fixtures.deep_layer, channel_slices, response_mistakes.SLICES),
            ),
            Case(
                "four slices of one of six filters; a filter of zeros; a tiny one",
                telling(fixtures.other_layer, channel_slices, response_mistakes.SLICES),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "opposite_filter",
                "-3 times the filter shows the same slices with black and white exchanged: S(-3·W) = 1 - S(W).",
                fixtures.opposite_calls,
                fixtures.opposite,
            ),
            Law(
                "more_slices_change_nothing",
                "Asking for more slices leaves the first ones as they were.",
                fixtures.more_slices_calls,
                fixtures.same_first,
            ),
        ),
        special={"0.5 everywhere for a filter of zeros, and for no other": "nan_for_zeros"},
        misconceptions=response_mistakes.SLICES,
        hints=(
            "A filter of a deep layer is [C kh kw] with C = 72, say. You want the n slices that count most, and you "
            "want to see which of them counts more. What must all slices share for that?",
            "W = weights[k]. The strength of a slice is W.abs().sum over rows and columns; argsort with "
            "descending=True orders the slices. Divide by W.abs().max(), one number for the whole filter; for a "
            "filter of zeros use 1 in its place.",
            "1. W = weights[k]\n"
            "2. order = W.abs().sum(dim=(1, 2)).argsort(descending=True)[:n]\n"
            "3. largest = W.abs().max(); put 1 in its place if it is 0\n"
            "4. return 0.5 + W[order] / (2 * largest)",
        ),
        minutes=10,
        difficulty=2,
        lines=4,
    ),
)

LESSON = Lesson(
    id="01_filters",
    title="Filters",
    summary="Draw a network's first filters, compute what they respond, and see why deep filters are not pictures.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

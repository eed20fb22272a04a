"""Wrong answers of lesson 1, filters: what a filter responds, and the slices of a deep filter."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from autograder.records import Misconception
from cnnviz_ref.filters import scale_filters

# 3. responses(images, weight, bias, stride, padding) -> A

Changed = Callable[[Tensor, Tensor, Tensor, int, int], tuple[Tensor, Tensor, Tensor, int, int]]


def _with(change: Changed) -> Callable[..., Tensor]:
    """The right computation on changed arguments."""

    def wrong(images, weight, bias, stride, padding):
        I, W, b, s, p = change(images, weight, bias, stride, padding)
        return F.conv2d(I, W, b, stride=s, padding=p)

    return wrong


def _mean_for_sum(images, weight, bias, stride, padding):
    return F.conv2d(images, weight / weight[0].numel(), bias, stride=stride, padding=padding)


def _late_stride(images, weight, bias, stride, padding):
    every = F.conv2d(images, weight, bias, padding=padding)
    return every[:, :, stride - 1 :: stride, stride - 1 :: stride]


def _edge_padding(images, weight, bias, stride, padding):
    return F.conv2d(F.pad(images, [padding] * 4, mode="replicate"), weight, bias, stride=stride)


def _padding_at_the_end(images, weight, bias, stride, padding):
    return F.conv2d(F.pad(images, (0, 2 * padding, 0, 2 * padding)), weight, bias, stride=stride)


def _after(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def wrong(images, weight, bias, stride, padding):
        return change(F.conv2d(images, weight, bias, stride=stride, padding=padding))

    return wrong


RESPONSES = (
    Misconception(
        "turned_by_half",
        _with(lambda I, W, b, s, p: (I, W.flip(2, 3), b, s, p)),
        "You turned the filter by 180 degrees, as mathematicians do in a convolution. A convolutional layer does not: "
        "W_kcij meets the pixel i rows below and j columns to the right.",
    ),
    Misconception(
        "rows_for_columns",
        _with(lambda I, W, b, s, p: (I, W.transpose(2, 3), b, s, p)),
        "Rows and columns of the filter are swapped: in W_kcij, i runs down and j across.",
    ),
    Misconception(
        "no_bias",
        _with(lambda I, W, b, s, p: (I, W, torch.zeros_like(b), s, p)),
        "You left out the bias: A^k starts from b_k and adds the products to it.",
    ),
    Misconception(
        "bias_subtracted",
        _with(lambda I, W, b, s, p: (I, W, -b, s, p)),
        "You subtracted the bias. A^k = b_k + Σ W·I: it is added.",
    ),
    Misconception(
        "mean_for_sum",
        _mean_for_sum,
        "You averaged the products over c, i, j; A^k sums them: do not divide by C·kh·kw.",
    ),
    Misconception(
        "stride_ignored",
        _with(lambda I, W, b, s, p: (I, W, b, 1, p)),
        "You moved the filter by one pixel a step. Place (x, y) looks at the pixels from row s·x and column s·y on: "
        "stride s.",
    ),
    Misconception(
        "late_stride",
        _late_stride,
        "Your places start too late: with stride s the first place is at row 0 and column 0 of the padded image, then "
        "at s, 2s, ...",
    ),
    Misconception(
        "padding_ignored",
        _with(lambda I, W, b, s, p: (I, W, b, s, 0)),
        "You ignored the padding: p rows and columns of zeros go round the image before the filter starts.",
    ),
    Misconception(
        "edge_padding",
        _edge_padding,
        "You padded with copies of the border pixels. A convolutional layer pads with zeros unless it is told "
        "otherwise.",
    ),
    Misconception(
        "padding_at_the_end",
        _padding_at_the_end,
        "You put all the padding below and at the right. p rows go above and p below, p columns left and p right.",
    ),
    Misconception(
        "first_colour",
        _with(lambda I, W, b, s, p: (I[:, :1], W[:, :1], b, s, p)),
        "You used the first colour only. The sum runs over all colours c as well as over i and j.",
    ),
    Misconception(
        "colours_reversed",
        _with(lambda I, W, b, s, p: (I.flip(1), W, b, s, p)),
        "The colours are in reverse order: channel c of the filter meets channel c of the image.",
    ),
    Misconception(
        "grey_image",
        _with(lambda I, W, b, s, p: (I.mean(1, keepdim=True), W.sum(1, keepdim=True), b, s, p)),
        "You made the image grey first. Every colour c has weights of its own: multiply before you sum over c.",
    ),
    Misconception(
        "display_weights",
        _with(lambda I, W, b, s, p: (I, scale_filters(W), b, s, p)),
        "You filtered with the weights as they are drawn, on [0, 1]. Scaling is for the eye: A^k needs the raw W, with "
        "its signs.",
    ),
    Misconception(
        "relu_added",
        _after(torch.relu),
        "You added a ReLU. A^k is what the convolution gives, with negative values; the ReLU is the next layer.",
    ),
    Misconception(
        "absolute_response",
        _after(torch.abs),
        "You returned |A^k|. A negative response says that the patch is the filter's opposite: keep the sign.",
    ),
)


# 4. channel_slices(weights, k, n) -> S


def strongest(W: Tensor, n: int) -> Tensor:
    """The n slices of a filter [C kh kw] with the largest Σ|W|, strongest first."""
    return W[_order(W.abs().sum((1, 2)), n)]


def _order(strength: Tensor, n: int) -> Tensor:
    return strength.argsort(descending=True, stable=True)[:n]


def round_zero(W: Tensor, size: Tensor) -> Tensor:
    """0.5 + W / (2 size), and 0.5 where the size is 0."""
    return 0.5 + W / (2 * torch.where(size > 0, size, 1.0))


def slices(W: Tensor, n: int, size: Tensor | None = None) -> Tensor:
    """S of one filter [C kh kw], by its own largest |weight| unless told otherwise."""
    return round_zero(strongest(W, n), W.abs().max() if size is None else size)


def _ordered_by(strength: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def wrong(weights, k, n):
        W = weights[k]
        return round_zero(W[_order(strength(W), n)], W.abs().max())

    return wrong


def _min_max_together(weights, k, n):
    return scale_filters(weights[k][None])[0][_order(weights[k].abs().sum((1, 2)), n)]


def _min_max_each(weights, k, n):
    return scale_filters(strongest(weights[k], n)[:, None])[:, 0]


def _each_its_own(weights, k, n):
    shown = strongest(weights[k], n)
    return round_zero(shown, shown.abs().amax((1, 2), keepdim=True))


def _scale_of_the_shown(weights, k, n):
    shown = strongest(weights[k], n)
    return round_zero(shown, shown.abs().max())


SLICES = (
    Misconception(
        "each_its_own_scale",
        _each_its_own,
        "You divided every slice by its own largest |weight|. Then a slice that hardly counts looks as strong as the "
        "strongest: use one scale, max |W_k| over c, i, j.",
    ),
    Misconception(
        "each_its_own_min_max",
        _min_max_each,
        "You stretched every slice to [0, 1] by itself. Strength and sign are gone: use one scale for the filter, with "
        "0 at mid-grey.",
    ),
    Misconception(
        "min_max_together",
        _min_max_together,
        "One scale for all slices is right, but 0 is not at mid-grey: the formula is 1/2 + W / (2·max |W_k|).",
    ),
    Misconception(
        "scale_of_all_filters",
        lambda weights, k, n: slices(weights[k], n, weights.abs().max()),
        "You divided by the largest |weight| of the whole layer. The scale is that of filter k: max over c, i, j of "
        "|W_kcij|.",
    ),
    Misconception(
        "scale_of_the_shown",
        _scale_of_the_shown,
        "You took the maximum over the n slices that are shown. It runs over all C slices of filter k; else a slice "
        "changes its grey with n.",
    ),
    Misconception(
        "first_n",
        lambda weights, k, n: round_zero(weights[k, :n], weights[k].abs().max()),
        "You took the first n slices. Asked for are the n strongest: those with the largest Σ_ij |W_kcij|.",
    ),
    Misconception(
        "weakest_first",
        lambda weights, k, n: slices(weights[k], n).flip(0),
        "These are the right slices in the wrong order: the strongest comes first.",
    ),
    Misconception(
        "weakest",
        _ordered_by(lambda W: -W.abs().sum((1, 2))),
        "You took the n weakest slices: sort by Σ_ij |W_kcij| in descending order.",
    ),
    Misconception(
        "signed_strength",
        _ordered_by(lambda W: W.sum((1, 2))),
        "You sorted by Σ_ij W_kcij. There +2 and -2 cancel; the strength of a slice is Σ_ij |W_kcij|.",
    ),
    Misconception(
        "largest_weight",
        _ordered_by(lambda W: W.abs().amax((1, 2))),
        "You sorted by the largest |weight| of a slice. The strength of a slice is the sum Σ_ij |W_kcij|.",
    ),
    Misconception(
        "energy",
        _ordered_by(lambda W: W.square().sum((1, 2))),
        "You sorted by Σ_ij W_kcij², where one large weight counts more than many small ones. The strength of a slice "
        "is Σ_ij |W_kcij|.",
    ),
    Misconception(
        "strength_in_the_layer",
        lambda weights, k, n: round_zero(weights[k][_order(weights.abs().sum((0, 2, 3)), n)], weights[k].abs().max()),
        "You sorted by the strength of channel c in all filters together. Filter k has its own order: Σ_ij |W_kcij|.",
    ),
    Misconception(
        "largest_without_sign",
        lambda weights, k, n: slices(weights[k], n, weights[k].max()),
        "You divided by max W_k. The largest weight can be negative: divide by max |W_k|.",
    ),
    Misconception(
        "tiny_for_zero",
        lambda weights, k, n: slices(weights[k] * (weights[k].abs().max() > 1e-6), n),
        "You took a filter with small weights for a filter of zeros. It is drawn like any other, on its own scale; "
        "only where max |W_k| is 0 is every slice mid-grey.",
    ),
    Misconception(
        "channel_for_filter",
        lambda weights, k, n: slices(weights[:, k], n),
        "You took channel k of all filters, weights[:, k]. Filter k is weights[k]: its slices are weights[k, c].",
    ),
    Misconception(
        "counted_from_one",
        lambda weights, k, n: slices(weights[k - 1], n),
        "You took the filter before the one asked for. Filters are counted from 0: filter k is weights[k].",
    ),
    Misconception(
        "absolute_weights",
        lambda weights, k, n: slices(weights[k].abs(), n),
        "You drew |W|. Without its sign, a weight that pulls the response down looks like one that pushes it up.",
    ),
    Misconception(
        "not_scaled",
        lambda weights, k, n: strongest(weights[k], n).clamp(0, 1),
        "You clamped to [0, 1] without scaling: negative weights became black. The formula is 1/2 + W / (2·max |W_k|).",
    ),
    Misconception(
        "no_mid_grey",
        lambda weights, k, n: 2 * slices(weights[k], n) - 1,
        "Your values lie in [-1, 1]. Halve them and add 1/2: a grey picture needs [0, 1], with 0 at mid-grey.",
    ),
    Misconception(
        "nan_for_zeros",
        lambda weights, k, n: 0.5 + strongest(weights[k], n) / (2 * weights[k].abs().max()),
        "A filter of zeros gave 0/0 = NaN. Its slices are mid-grey, 0.5: put a 1 in place of a maximum of 0.",
    ),
)

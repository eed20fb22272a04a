"""Inputs and laws of filters: small float64 tensors of both signs, unequal strengths and sizes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import array, between, randn, relative
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz_ref.filters import scale_filters

TINY = 1e-9
"""Range of a filter that is nearly flat, and not constant."""


def bank(generator: Generator, k: int, c: int, kh: int, kw: int) -> Tensor:
    """Filters [K C kh kw] of both signs, each with a strength and an offset of its own."""
    strength = between(generator, 0.3, 2.3, k, 1, 1, 1)
    return strength * (randn(generator, k, c, kh, kw) + 0.5 * randn(generator, k, 1, 1, 1))


def odd_bank(generator: Generator, k: int, c: int, kh: int, kw: int) -> Tensor:
    """The same; the last ones are constant, nearly flat, above zero everywhere and below zero everywhere."""
    filters = bank(generator, k, c, kh, kw)
    filters[-4] = 0.3 + float(filters.abs().mean())
    filters[-3] *= TINY
    filters[-2] += 0.2 - filters[-2].min()
    filters[-1] -= 0.2 + filters[-1].max()
    return filters


def colours(generator: Generator) -> list[Call]:
    return [Call({"filters": odd_bank(generator, 5, 3, 3, 2)}), Call({"filters": bank(generator, 1, 2, 2, 3)})]


def other_banks(generator: Generator) -> list[Call]:
    return [Call({"filters": odd_bank(generator, 6, 2, 2, 4)}), Call({"filters": bank(generator, 1, 1, 3, 4)})]


def stretched(generator: Generator) -> list[Call]:
    """W, and a·(W + b) with a positive a and a b for each filter."""
    filters, offset = bank(generator, 3, 2, 3, 4), randn(generator, 3, 1, 1, 1)
    factor = between(generator, 0.1, 0.9, 3, 1, 1, 1) * torch.tensor([0.1, 1.0, 9.0]).view(3, 1, 1, 1)
    return [Call({"filters": each}) for each in (filters, factor * (filters + offset))]


def as_before(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[1][0], results[0][0])


def ends_reached(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    flat = results[0][0].reshape(len(results[0][0]), -1)
    return float(max(np.abs(flat.min(1)).max(), np.abs(flat.max(1) - 1).max()))


def laid(generator: Generator, columns: int, *shape: int) -> Call:
    """Filters [K C kh kw] with values in [-0.3, 1.3), to be laid out in rows of so many."""
    return Call({"filters": between(generator, -0.3, 1.3, *shape), "columns": columns})


def tiles(generator: Generator) -> list[Call]:
    return [laid(generator, 3, 5, 3, 3, 2), laid(generator, 2, 4, 1, 2, 3), laid(generator, 2, 1, 2, 3, 4)]


def other_tiles(generator: Generator) -> list[Call]:
    return [laid(generator, 2, 7, 2, 2, 4), laid(generator, 3, 3, 3, 4, 3), laid(generator, 5, 2, 1, 3, 2)]


def column_and_row(generator: Generator) -> list[Call]:
    """Filters in one column; the same filters, each turned on its side, in one row."""
    filters = between(generator, 0.1, 0.9, 3, 2, 2, 3)
    return [Call({"filters": filters, "columns": 1}), Call({"filters": filters.transpose(2, 3), "columns": 3})]


def turned_on_its_side(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[1][0].swapaxes(-1, -2), results[0][0])


def last_row_not_full(generator: Generator) -> list[Call]:
    return [Call({"filters": between(generator, 0.1, 0.9, 5, 1, 3, 4), "columns": 3})]


def nothing_lost(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    want, got = (array(calls[0].inputs["filters"]) - 1).sum(), (results[0][0] - 1).sum()
    return float(abs(got - want) / abs(want))


def scene(generator: Generator, images: Sequence[int], weight: Sequence[int], stride: int, padding: int) -> Call:
    """Images, filters and responses of both signs."""
    return Call(
        {
            "images": randn(generator, *images),
            "weight": randn(generator, *weight),
            "bias": 1.0 + randn(generator, weight[0]),
            "stride": stride,
            "padding": padding,
        }
    )


def strided(generator: Generator) -> list[Call]:
    return [scene(generator, (3, 3, 9, 10), (4, 3, 3, 2), 3, 1), scene(generator, (1, 2, 5, 4), (2, 2, 2, 3), 1, 0)]


def other_strides(generator: Generator) -> list[Call]:
    """Four channels; and one channel alone."""
    return [scene(generator, (2, 4, 8, 13), (3, 4, 2, 4), 2, 2), scene(generator, (1, 1, 6, 5), (2, 1, 3, 2), 2, 1)]


def single_pixel(generator: Generator) -> list[Call]:
    images = torch.zeros(1, 2, 5, 7, dtype=torch.float64)
    images[0, 1, 2, 3] = 1.0
    call = scene(generator, images.shape, (3, 2, 3, 4), 1, 0)
    return [Call({**call.inputs, "images": images})]


def filter_turned(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """A^k - b_k is slice 1 of filter k, turned by 180 degrees."""
    weight, bias = (array(calls[0].inputs[name]) for name in ("weight", "bias"))
    return relative(results[0][0][0] - bias[:, None, None], weight[:, 1, ::-1, ::-1])


def three_images(generator: Generator) -> list[Call]:
    """I, I' and I - 2·I'."""
    call = scene(generator, (1, 2, 6, 5), (3, 2, 3, 2), 2, 1)
    one, two = call.inputs["images"], randn(generator, 1, 2, 6, 5)
    return [Call({**call.inputs, "images": each}) for each in (one, two, one - 2 * two)]


def linear(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    bias = array(calls[0].inputs["bias"])[None, :, None, None]
    one, two, both = (result[0] - bias for result in results)
    return relative(both, one - 2 * two)


def deep(generator: Generator, k: int, n: int, *shape: int) -> Call:
    """A layer [K C kh kw]; filter k has its largest weight in a slice that is weak all the same."""
    weights = randn(generator, *shape)
    weak = int(torch.randint(0, shape[1], (), generator=generator))
    top = float(weights[k].abs().max())
    weights[k, weak] = 0.0
    weights[k, weak, 0, 1] = 1.3 * top
    weights[(k + 1) % shape[0]] *= 2.0
    return Call({"weights": weights, "k": k, "n": n})


def times(factor: float, call: Call) -> Call:
    """The same call, with filter k so many times as strong."""
    weights = call.inputs["weights"].clone()
    weights[call.inputs["k"]] *= factor
    return Call({**call.inputs, "weights": weights})


def deep_layer(generator: Generator) -> list[Call]:
    """The largest weight of the tiny filter is negative."""
    return [
        deep(generator, 2, 3, 5, 7, 3, 2),
        times(0.0, deep(generator, 1, 2, 4, 3, 2, 3)),
        times(-TINY, deep(generator, 1, 3, 3, 5, 2, 3)),
    ]


def other_layer(generator: Generator) -> list[Call]:
    return [
        deep(generator, 4, 4, 6, 8, 2, 4),
        times(0.0, deep(generator, 2, 1, 3, 4, 3, 3)),
        times(-TINY, deep(generator, 2, 3, 4, 6, 3, 2)),
    ]


def opposites(generator: Generator) -> list[Call]:
    """A layer and -3 times that layer."""
    call = deep(generator, 1, 3, 3, 5, 2, 3)
    return [call, Call({**call.inputs, "weights": -3 * call.inputs["weights"]})]


def black_for_white(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[1][0], 1 - results[0][0])


def two_and_four(generator: Generator) -> list[Call]:
    call = deep(generator, 1, 2, 3, 6, 2, 3)
    return [call, Call({**call.inputs, "n": 4})]


def same_first(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[1][0][:2], results[0][0])


def photo() -> Call:
    """The strongest filter of an ImageNet network's first layer, on a real photo."""
    network = cnnviz.efficientnet_lite0()
    weight, bias = (network.get_parameter(f"features.stem.conv.{name}").detach() for name in ("weight", "bias"))
    k = int((weight.amax(dim=(1, 2, 3)) - weight.amin(dim=(1, 2, 3))).argmax())
    images = cnnviz.preprocess(cnnviz.photo("camera"))
    return Call({"images": images, "weight": weight[[k]], "bias": bias[[k]], "stride": 2, "padding": 1})


CHECKS = {
    "scale_filters": Checks(
        reference=scale_filters,
        cases=(
            Case("five filters on three colours, one constant and one nearly; one alone", colours),
            Case("two colours, six filters, one constant and one nearly; one alone", other_banks, hidden=True),
        ),
        laws=(
            Law(
                "strength_is_lost",
                "A filter a·W_k + b with a > 0 looks like W_k: S(a·W + b) = S(W), whatever a and b each filter has.",
                stretched,
                as_before,
            ),
            Law(
                "both_ends_are_reached",
                "Where the weights of a filter are not all equal, its smallest S is 0 and its largest S is 1.",
                stretched,
                ends_reached,
            ),
        ),
    ),
    "tile": Checks(
        cases=(
            Case("five filters in rows of three; four in rows of two; one, and room for two", tiles),
            Case("other sizes; a single row; two filters, and room for five", other_tiles, hidden=True),
        ),
        laws=(
            Law(
                "column_on_its_side",
                "One column of filters, turned on its side, is one row of the filters turned on their sides.",
                column_and_row,
                turned_on_its_side,
            ),
            Law(
                "nothing_is_lost",
                "Apart from white, the picture holds what the filters hold: Σ (P - 1) = Σ (S - 1).",
                last_row_not_full,
                nothing_lost,
            ),
        ),
    ),
    "responses": Checks(
        cases=(
            Case("three images, stride 3, padding 1; one image without padding", strided),
            Case("other sizes, stride 2, padding 2", other_strides, hidden=True),
        ),
        laws=(
            Law(
                "a_single_pixel_shows_the_filter",
                "An image of zeros with a single 1 in colour c is answered by slice c of filter k, turned by 180 "
                "degrees: A^k - b_k holds the numbers W_kl from the last to the first.",
                single_pixel,
                filter_turned,
            ),
            Law(
                "linear",
                "Apart from the bias, A is linear: A of I - 2·I' is A of I minus twice A of I'.",
                three_images,
                linear,
            ),
        ),
        showcase=photo,
    ),
    "channel_slices": Checks(
        cases=(
            Case("three slices of one of five filters; a filter of zeros; a tiny one", deep_layer),
            Case("four slices of one of six filters; a filter of zeros; a tiny one", other_layer, hidden=True),
        ),
        laws=(
            Law(
                "opposite_filter",
                "-3 times the filter shows the same slices with black and white exchanged: S(-3·W) = 1 - S(W).",
                opposites,
                black_for_white,
            ),
            Law(
                "more_slices_change_nothing",
                "Asking for more slices leaves the first ones as they were.",
                two_and_four,
                same_first,
            ),
        ),
    ),
}

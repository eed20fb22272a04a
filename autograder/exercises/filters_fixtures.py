"""Inputs and laws of lesson 1, filters: small float64 tensors on which every known mistake shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from autograder.records import Arrays, Call


def randn(generator: Generator, *shape: int) -> Tensor:
    """Normal numbers in float64."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def rand(generator: Generator, *shape: int) -> Tensor:
    """Even numbers in [0.1, 0.9], float64."""
    return 0.1 + 0.8 * torch.rand(*shape, generator=generator, dtype=torch.float64)


# 1. Filters of unequal strength, one of them constant


TINY = 1e-9
"""Range of a filter that is nearly flat, and not constant."""


def bank(generator: Generator, k: int, c: int, kh: int, kw: int) -> Tensor:
    """Filters [K C kh kw] with both signs, each with a strength and an offset of its own."""
    strength = 0.3 + 2 * torch.rand(k, 1, 1, 1, generator=generator, dtype=torch.float64)
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
    """Five filters on three colours; a single filter."""
    return [Call({"filters": odd_bank(generator, 5, 3, 3, 2)}), Call({"filters": bank(generator, 1, 2, 2, 3)})]


def other_banks(generator: Generator) -> list[Call]:
    """Two colours, six filters; a single filter on one channel."""
    return [Call({"filters": odd_bank(generator, 6, 2, 2, 4)}), Call({"filters": bank(generator, 1, 1, 3, 4)})]


# 2. Tiles


def laid(generator: Generator, columns: int, *shape: int) -> Call:
    """Filters [K C kh kw] with values in [-0.3, 1.3], to be laid out in rows of so many."""
    return Call({"filters": 2 * rand(generator, *shape) - 0.5, "columns": columns})


def tiles(generator: Generator) -> list[Call]:
    """Five filters in rows of three; four in rows of two; one filter, and room for two."""
    return [laid(generator, 3, 5, 3, 3, 2), laid(generator, 2, 4, 1, 2, 3), laid(generator, 2, 1, 2, 3, 4)]


def other_tiles(generator: Generator) -> list[Call]:
    """Seven filters in rows of two; three in one row; two filters, and room for five."""
    return [laid(generator, 2, 7, 2, 2, 4), laid(generator, 3, 3, 3, 4, 3), laid(generator, 5, 2, 1, 3, 2)]


# 3. Images and filters


def scene(generator: Generator, images: Sequence[int], weight: Sequence[int], stride: int, padding: int) -> Call:
    """Images and filters with both signs; responses of both signs."""
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
    """Three images, stride 3, padding 1; one image, stride 1."""
    return [
        scene(generator, (3, 3, 9, 10), (4, 3, 3, 2), 3, 1),
        scene(generator, (1, 2, 5, 4), (2, 2, 2, 3), 1, 0),
    ]


def other_strides(generator: Generator) -> list[Call]:
    """Four channels, stride 2, padding 2; one channel."""
    return [
        scene(generator, (2, 4, 8, 13), (3, 4, 2, 4), 2, 2),
        scene(generator, (1, 1, 6, 5), (2, 1, 3, 2), 2, 1),
    ]


# 4. Deep filters


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
    """Three slices of one of five filters; a filter of zeros; a tiny one whose largest weight is negative."""
    return [
        deep(generator, 2, 3, 5, 7, 3, 2),
        times(0.0, deep(generator, 1, 2, 4, 3, 2, 3)),
        times(-TINY, deep(generator, 1, 3, 3, 5, 2, 3)),
    ]


def other_layer(generator: Generator) -> list[Call]:
    """Four slices of one of six filters; a filter of zeros; a tiny one whose largest weight is negative."""
    return [
        deep(generator, 4, 4, 6, 8, 2, 4),
        times(0.0, deep(generator, 2, 1, 3, 4, 3, 3)),
        times(-TINY, deep(generator, 2, 3, 4, 6, 3, 2)),
    ]


# Laws


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    if got.shape != want.shape:
        return float("inf")
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy()


def stretched_calls(generator: Generator) -> list[Call]:
    """W, and a·W + b with a positive a and a b for each filter."""
    filters = bank(generator, 3, 2, 3, 4)
    factor, offset = rand(generator, 3, 1, 1, 1) * torch.tensor([0.1, 1.0, 9.0]).view(3, 1, 1, 1), randn(generator, 3)
    return [Call({"filters": each}) for each in (filters, factor * (filters + offset.view(3, 1, 1, 1)))]


def as_before(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Both results are the same."""
    return _relative(results[1][0], results[0][0])


def ends_reached(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Every filter's smallest value is 0 and its largest 1."""
    flat = results[0][0].reshape(len(results[0][0]), -1)
    return float(max(np.abs(flat.min(1)).max(), np.abs(flat.max(1) - 1).max()))


def in_a_row_calls(generator: Generator) -> list[Call]:
    """Filters in one column; the same filters, each turned on its side, in one row."""
    filters = rand(generator, 3, 2, 2, 3)
    return [Call({"filters": filters, "columns": 1}), Call({"filters": filters.transpose(2, 3), "columns": 3})]


def turned_on_its_side(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The second picture is the first, turned on its side."""
    return _relative(results[1][0].swapaxes(-1, -2), results[0][0])


def nothing_lost_calls(generator: Generator) -> list[Call]:
    """Filters whose last row is not full."""
    return [Call({"filters": rand(generator, 5, 1, 3, 4), "columns": 3})]


def nothing_lost(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The picture minus the white sums to the filters minus the white."""
    filters = _array(calls[0].inputs["filters"])
    want, got = (filters - 1).sum(), (results[0][0] - 1).sum()
    return float(abs(got - want) / abs(want))


def single_pixel_calls(generator: Generator) -> list[Call]:
    """One pixel of one colour is 1, all others are 0."""
    images = torch.zeros(1, 2, 5, 7, dtype=torch.float64)
    images[0, 1, 2, 3] = 1.0
    weight = randn(generator, 3, 2, 3, 4)
    bias = randn(generator, 3)
    return [Call({"images": images, "weight": weight, "bias": bias, "stride": 1, "padding": 0})]


def filter_turned(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """A^k - b_k is slice 1 of filter k, turned by 180 degrees."""
    weight, bias = (_array(calls[0].inputs[name]) for name in ("weight", "bias"))
    got = results[0][0][0]
    return _relative(got - bias[:, None, None], weight[:, 1, ::-1, ::-1]) if got.ndim == 3 else float("inf")


def linear_calls(generator: Generator) -> list[Call]:
    """I, I' and I - 2·I'."""
    one = scene(generator, (1, 2, 6, 5), (3, 2, 3, 2), 2, 1)
    images = one.inputs["images"], scene(generator, (1, 2, 6, 5), (3, 2, 3, 2), 2, 1).inputs["images"]
    return [Call({**one.inputs, "images": each}) for each in (*images, images[0] - 2 * images[1])]


def linear(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Without its bias, A of I - 2·I' is A of I minus twice A of I'."""
    bias = _array(calls[0].inputs["bias"])[None, :, None, None]
    one, two, both = (result[0] - bias for result in results)
    return _relative(both, one - 2 * two)


def opposite_calls(generator: Generator) -> list[Call]:
    """A layer and -3 times that layer."""
    call = deep(generator, 1, 3, 3, 5, 2, 3)
    return [call, Call({**call.inputs, "weights": -3 * call.inputs["weights"]})]


def opposite(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """S(-3·W) = 1 - S(W)."""
    return _relative(results[1][0], 1 - results[0][0])


def more_slices_calls(generator: Generator) -> list[Call]:
    """Two slices of a filter; then four."""
    call = deep(generator, 1, 2, 3, 6, 2, 3)
    return [call, Call({**call.inputs, "n": 4})]


def same_first(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The first two of four are the two."""
    return _relative(results[1][0][:2], results[0][0])

"""Laws of lesson 15, which map: how far results are from what must hold, whatever their values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from autograder.exercises.which_map_curve_misconceptions import counts, ranking, without
from autograder.records import Arrays, Call


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    """Largest difference relative to max|want|; infinite where the shapes differ."""
    if got.shape != want.shape:
        return math.inf
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def equal(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Both calls give the same."""
    return _relative(results[1][0], results[0][0])


def sum_to_one(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """What two boxes that tile the picture get sums to 1; a third call, if any, repeats the first."""
    first, second, *again = (result[0] for result in results)
    if first.shape != second.shape:
        return math.inf
    tiles = _relative(first + second, np.ones_like(first))
    return max([tiles, *(_relative(other, first) for other in again)])


def linear_parts(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """s_k of a linear network = y^c(I) - the sum of w·(x - fill) over the pixels that are gone."""
    model, image, target, heat, steps, fill = (
        calls[0].inputs[name] for name in ("model", "image", "target", "heat", "steps", "fill")
    )
    weight, bias = model[1].weight[target].detach(), model[1].bias[target].detach()
    parts = (weight.view_as(image) * (image - fill)).sum(0).flatten()[ranking(heat)]
    start = float((weight * image.flatten()).sum() + bias)
    want = [start - float(parts[:n].sum()) for n in counts(heat.numel(), steps)]
    return _relative(results[0][0], np.array(want))


def backwards(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Insertion in the opposite order is deletion read backwards."""
    return _relative(results[1][0], results[0][0][::-1])


def both_ends(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """s_0 = y^c(I) and s_S = y^c of the fill, each in a network that is asked directly."""
    far = []
    for call, (scores, *_) in zip(calls, results, strict=True):
        model, image, target, fill = (call.inputs[name] for name in ("model", "image", "target", "fill"))
        empty = without(image, torch.arange(image[0].numel()), fill)
        with torch.no_grad():
            want = model(torch.stack([image, empty]))[:, target].numpy()
        far.append(_relative(scores[[0, -1]], want) if scores.ndim == 1 and len(scores) else math.inf)
    return max(far)


def mean_of_the_ends(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The area under a straight line is the mean of its two ends."""
    scores = calls[0].inputs["scores"]
    return _relative(results[0][0], ((scores[:, 0] + scores[:, -1]) / 2).numpy())


def halves(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The area of a curve is the mean of the areas of its two halves, each stretched to 0 ... 1."""
    whole, first, second = (result[0] for result in results)
    return _relative(whole, (first + second) / 2) if first.shape == second.shape else math.inf


def one_and_minus_one(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """ρ = 1 for M and a growing function of M, -1 for M and -M."""
    n = len(calls[0].inputs["maps_a"])
    return max(_relative(result[0], np.full(n, sign)) for result, sign in zip(results, (1.0, -1.0), strict=True))

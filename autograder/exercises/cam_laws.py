"""How far results of the lesson on class activation maps depart from its laws, relative to the size of the numbers."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from autograder.exercises import cam_fixtures as fixtures
from autograder.records import Call


def _relative(left: np.ndarray, right: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.abs(left - right).max() / max(np.abs(right).max(), 1e-12))


def _numbers(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().cpu().double().numpy()


def row_gives_score(calls, results) -> float:
    """y^c - b_c from the head itself, beside w^c . a from the student's rows."""
    gaps = []
    for call, (rows,) in zip(calls, results, strict=True):
        head, targets = call.inputs["head"], call.inputs["targets"]
        probe = torch.linspace(-1, 2, head.in_features, dtype=torch.float64)
        gaps.append(_relative(rows @ _numbers(probe), _numbers((head(probe) - head.bias)[targets])))
    return float(np.max(gaps))


def mean_gives_score(calls, results) -> float:
    """Mean of the map beside Σ_k w_k^c a_k."""
    pairs = [(maps.mean((1, 2)), call.inputs) for call, (maps,) in zip(calls, results, strict=True)]
    gaps = [_relative(mean, _numbers((i["weights"] * i["activations"].mean((2, 3))).sum(1))) for mean, i in pairs]
    return float(np.max(gaps))


def combined_calls(generator) -> list[Call]:
    """Weights u, v and 2u - 3v on the same activations."""
    first = fixtures.map_calls(generator, 4, (5, 7))[0].inputs
    u, v = first["weights"], fixtures.normal(generator, *first["weights"].shape)
    return [Call({"activations": first["activations"], "weights": w}) for w in (u, v, 2 * u - 3 * v)]


def is_linear(calls, results) -> float:
    """The map for 2u - 3v beside the same mixture of the maps for u and v."""
    (u,), (v,), (both,) = results
    return _relative(both, 2 * u - 3 * v)


def score_is_mean_of_map(calls, results) -> float:
    """Scores of the converted network beside the mean of each class's map, plus bias."""
    gaps = []
    for call, (scores,) in zip(calls, results, strict=True):
        features, head = call.inputs["features"], call.inputs["head"]
        with torch.no_grad():
            activations = features(call.then[0])
            maps = torch.einsum("ck,nkhw->nchw", head.weight, activations)
        gaps.append(_relative(scores, _numbers(maps.mean((2, 3)) + head.bias)))
    return float(np.max(gaps))


def class_sums_stay(calls, results) -> float:
    """The gradient of the cross-entropy sums to zero over the classes, so the sum of the rows of W cannot change."""
    gaps = []
    for call, trained in zip(calls, results, strict=True):
        head = call.inputs["head"]
        gaps += [
            float(np.abs(new.sum(0) - _numbers(old).sum(0)).max() / np.abs(new).max())
            for new, old in zip(trained, (head.weight, head.bias), strict=True)
        ]
    return float(np.max(gaps))


def same_box_when_scaled(calls, results) -> float:
    """How far the boxes of M and 7 M lie apart, in widths of the picture."""
    return float(np.abs(results[0][0] - results[1][0]).max()) / max(calls[0].inputs["size"])


def holds_the_maximum(calls, results) -> float:
    """For one hill: the highest pixel lies inside, and a higher threshold gives a box inside the lower one's."""
    low, high = results[0][0], results[2][0]
    size = calls[0].inputs["size"]
    heat = calls[0].inputs["heatmap"][None, None]
    large = F.interpolate(heat, size=size, mode="bilinear", align_corners=False)[0, 0]
    row, column = divmod(int(large.argmax()), size[1])
    nested = (low[:2] <= high[:2]).all() and (high[2:] <= low[2:]).all()
    inside = high[0] <= row < high[2] and high[1] <= column < high[3]
    return 0.0 if nested and inside else 1.0

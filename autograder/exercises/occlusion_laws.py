"""Laws of lesson 7, occlusion: how far results are from what must hold, whatever their values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from autograder.exercises.occlusion_average_misconceptions import averaged
from autograder.exercises.occlusion_fixtures import SIZE, STRIDE, WINDOW
from autograder.exercises.occlusion_misconceptions import own_score
from autograder.exercises.occlusion_window_misconceptions import all_boxes
from autograder.records import Arrays, Call


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    """Largest difference relative to max|want|; infinite where the shapes differ."""
    if got.shape != want.shape:
        return math.inf
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def equal(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Both calls give the same."""
    return _relative(results[1][0], results[0][0])


def covered(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The share of pixels that no window hides, and of windows that are empty or stick out."""
    return max(_uncovered(call, boxes) for call, (boxes, *_) in zip(calls, results, strict=True))


def _uncovered(call: Call, boxes: np.ndarray) -> float:
    H, W = call.inputs["H"], call.inputs["W"]
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        return math.inf
    seen = np.zeros((H, W), bool)
    for top, left, bottom, right in boxes:
        seen[top:bottom, left:right] = True
    whole = (boxes[:, :2] >= 0).all(1) & (boxes[:, 2:] <= (H, W)).all(1) & (boxes[:, :2] < boxes[:, 2:]).all(1)
    return max(1 - seen.mean(), 1 - whole.mean())


def counted(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """P = (⌈(H-w)/s⌉ + 1)(⌈(W-w)/s⌉ + 1)."""
    return max(_miscounted(call, len(boxes)) for call, (boxes, *_) in zip(calls, results, strict=True))


def _miscounted(call: Call, got: int) -> float:
    H, W, w, s = (call.inputs[name] for name in ("H", "W", "window", "stride"))
    want = (math.ceil((H - w) / s) + 1) * (math.ceil((W - w) / s) + 1)
    return abs(got - want) / want


def _parts(call: Call) -> np.ndarray:
    """w^c · (x - fill), summed over the channels, at each pixel: [N H W]."""
    model, images, targets, fill = (call.inputs[name] for name in ("model", "images", "targets", "fill"))
    weight = model[1].weight[targets].view_as(images).detach()
    return (weight * (images - fill)).sum(dim=1).numpy()


def window_sums(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """d_p of a linear network = the sum of w·(x - fill) inside window p."""
    parts, boxes = _parts(calls[0]), all_boxes(*SIZE, WINDOW, STRIDE).tolist()
    sums = [parts[:, top:bottom, left:right].sum((1, 2)) for top, left, bottom, right in boxes]
    return _relative(results[0][0], np.stack(sums, axis=1))


def averaged_window_sums(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """M of a linear network = the mean over the windows on a pixel of those sums."""
    boxes = all_boxes(*SIZE, WINDOW, STRIDE)
    parts = _parts(calls[0])
    sums = np.stack([parts[:, t:b, l:r].sum((1, 2)) for t, l, b, r in boxes.tolist()], axis=1)
    return _relative(results[0][0], averaged(torch.from_numpy(sums), boxes, SIZE).numpy())


def first_is_zero(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """d_1 = 0, relative to the drops of the pictures as they were."""
    drops, before = results[0][0], results[1][0]
    boxes = calls[0].inputs["boxes"]
    if drops.shape != (len(calls[0].inputs["images"]), len(boxes)):
        return math.inf
    return float(np.abs(drops[:, 0]).max() / (np.abs(before).max() or 1.0))


def as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Results of single images beside those of the batch."""
    return _relative(np.concatenate([alone[0] for alone in results[1:]]), results[0][0])


@torch.no_grad()
def constant_drop(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """M_ij = y^c(I) - y^c(fill) at every pixel."""
    model, images, targets, fill = (calls[0].inputs[name] for name in ("model", "images", "targets", "fill"))
    gone = own_score(model(images), targets) - own_score(model(fill.expand_as(images)), targets)
    return _relative(results[0][0], np.broadcast_to(gone.numpy()[:, None, None], results[0][0].shape))


def constant(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Every pixel has the one drop."""
    drops = calls[0].inputs["drops"][:, 0].numpy()
    return _relative(results[0][0], np.broadcast_to(drops[:, None, None], results[0][0].shape))


def additive(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """M(d - 2·d') = M(d) - 2·M(d')."""
    one, two, both = (result[0] for result in results)
    return _relative(both, one - 2 * two)

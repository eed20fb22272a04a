"""Cluttered digits: real handwritten digits among distractor strokes, with the box in which each one truly lies.

A network trained on the labels alone never saw a box, so the boxes are ground truth for what a map points at.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.nn import functional as F

CANVAS = 64
"""Pixels along each side of a canvas."""
_FRAME = (20, 32)  # smallest and largest side in pixels to which an 8x8 digit is enlarged
_INK = 0.1  # a pixel brighter than this share of the digit's contrast belongs to its box


@dataclass(frozen=True)
class Digits:
    """Canvases with their labels and boxes."""

    images: Tensor
    """float32 `[n 1 64 64]` in [0, 1]; ink is bright, paper is 0."""
    labels: Tensor
    """int64 `[n]`, or `[n 2]` where a canvas holds two digits: the classes, 0 to 9."""
    boxes: Tensor
    """int64 `[n 4]` or `[n 2 4]`: (top, left, bottom, right) in pixels around the ink; bottom and right exclusive."""


def cluttered_digits(n: int, *, seed: int, split: str = "train", digits: int = 1, strokes: int = 8) -> Digits:
    """`n` canvases of 64x64 pixels, each with one digit, or two of different classes whose boxes do not overlap.

    Digits are scikit-learn's 8x8 scans, enlarged to 20 to 31 pixels a side, at a random place and contrast; `strokes`
    short curved strokes lie around and across them. Every fifth scan belongs to the test split, the others to the
    training split, so no scan is in both. The same arguments give the same canvases, and a smaller `n` gives the first
    of them.

    Args:
        n: number of canvases, at least 1.
        seed: any integer from 0.
        split: "train" or "test": from which scans the digits come.
        digits: 1 or 2 on each canvas.
        strokes: distractor strokes on each canvas.

    Raises:
        ValueError: an argument is outside what is listed above.

    >>> canvases = cluttered_digits(3, seed=0, digits=2)
    >>> canvases.images.shape, canvases.labels.shape, canvases.boxes.shape
    (torch.Size([3, 1, 64, 64]), torch.Size([3, 2]), torch.Size([3, 2, 4]))
    """
    _refuse(n, seed, split, digits, strokes)
    scans, classes = _scans(split)
    rng = np.random.default_rng([seed, split == "test", digits])
    canvases = [_canvas(rng, scans, classes, digits, strokes) for _ in range(n)]
    images, labels, boxes = (np.stack(column) for column in zip(*canvases, strict=True))
    if digits == 1:
        labels, boxes = labels[:, 0], boxes[:, 0]
    return Digits(torch.from_numpy(images)[:, None], torch.from_numpy(labels), torch.from_numpy(boxes))


def _refuse(n: int, seed: int, split: str, digits: int, strokes: int) -> None:
    if split not in ("train", "test"):
        raise ValueError(f'split: got {split!r}; allowed are "train" and "test"; pass one of them.')
    if digits not in (1, 2):
        raise ValueError(f"digits: got {digits!r}; allowed are 1 and 2 digits on a canvas; pass one of them.")
    for name, got, least in (("n", n, 1), ("seed", seed, 0), ("strokes", strokes, 0)):
        if not isinstance(got, (int, np.integer)) or got < least:
            raise ValueError(f"{name}: got {got!r}; allowed are whole numbers from {least}; pass one of them.")


@lru_cache
def _scans(split: str) -> tuple[np.ndarray, np.ndarray]:
    """The split's scans float32 `[m 8 8]` in [0, 1] and their classes int64 `[m]`."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    chosen = (np.arange(len(bunch.target)) % 5 == 0) == (split == "test")
    return (bunch.images[chosen] / 16).astype(np.float32), bunch.target[chosen].astype(np.int64)


def _canvas(
    rng: Generator, scans: np.ndarray, classes: np.ndarray, digits: int, strokes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One canvas `[64 64]`, its labels `[digits]` and boxes `[digits 4]`."""
    chosen = [int(rng.integers(len(scans)))]
    while len(chosen) < digits:
        i = int(rng.integers(len(scans)))
        if classes[i] != classes[chosen[0]]:
            chosen.append(i)
    inks = [_trim(_enlarge(scans[i], rng)) for i in chosen]
    boxes = _places(rng, inks)
    image = _strokes(rng, strokes)
    for ink, (top, left, bottom, right) in zip(inks, boxes, strict=True):
        np.maximum(image[top:bottom, left:right], ink, out=image[top:bottom, left:right])
    return image, classes[chosen], boxes


def _enlarge(scan: np.ndarray, rng: Generator) -> np.ndarray:
    """The scan at a random size, height and width within a fifth of each other, times a random contrast."""
    height = int(rng.integers(*_FRAME))
    width = int(np.clip(round(height * rng.uniform(0.9, 1.1)), _FRAME[0], _FRAME[1] - 1))
    contrast = np.float32(rng.uniform(0.5, 1))
    return _bilinear(height) @ scan @ _bilinear(width).T * contrast


@lru_cache
def _bilinear(size: int) -> np.ndarray:
    """The matrix `[size 8]` that enlarges 8 pixels to `size` by linear interpolation."""
    return F.interpolate(torch.eye(8)[None], size=size, mode="linear", align_corners=False)[0].T.numpy().copy()


def _trim(picture: np.ndarray) -> np.ndarray:
    """Cuts `picture` to the box around its ink and sets fainter pixels to 0."""
    ink = picture > _INK * picture.max()
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.where(ink, picture, 0)[box]


def _places(rng: Generator, inks: list[np.ndarray]) -> np.ndarray:
    """A random box for each of the digits, drawn again until no two of them overlap."""
    while True:
        corners = [[int(rng.integers(CANVAS - side + 1)) for side in ink.shape] for ink in inks]
        boxes = np.array(
            [[t, l, t + ink.shape[0], l + ink.shape[1]] for (t, l), ink in zip(corners, inks, strict=True)]
        )
        first, last = boxes[0], boxes[-1]
        apart = (first[2:] <= last[:2]).any() or (last[2:] <= first[:2]).any()
        if len(boxes) == 1 or apart:
            return boxes


def _strokes(rng: Generator, count: int) -> np.ndarray:
    """`count` curved strokes on an empty canvas: quadratic Bezier curves, drawn as chains of soft dots."""
    image = np.zeros((CANVAS, CANVAS), np.float32)
    start, reach = rng.uniform(0, CANVAS, (count, 2)), rng.uniform(-12, 12, (count, 2, 2))
    radius, contrast = rng.uniform(0.8, 1.8, count), rng.uniform(0.3, 1, count)
    t = np.linspace(0, 1, 24)[:, None]
    for p, (q, r), width, ink in zip(start, reach, radius, contrast, strict=True):
        dots = p + 2 * t * (1 - t) * q + t**2 * (q + r)
        low, high = dots.min(0) - 3, dots.max(0) + 3
        near = tuple(slice(*np.clip([a, b], 0, CANVAS).astype(int)) for a, b in zip(low, high, strict=True))
        rows, columns = ((np.arange(CANVAS)[near[i]] + 0.5 - dots[:, [i]]) ** 2 for i in (0, 1))
        distance = np.sqrt((rows[:, :, None] + columns[:, None, :]).min(0))
        image[near] = np.maximum(image[near], ink * np.clip(width + 0.5 - distance, 0, 1))
    return image

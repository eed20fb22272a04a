"""A student's map of a real photo, as PNG with an alternative text that carries the numbers."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np

from autograder.core.oracle import planned
from autograder.course.records import Exercise
from autograder.isolated import observe
from autograder.isolated.current_folder import load


@dataclass(frozen=True)
class Picture:
    """A PNG that stands inside a page."""

    data: bytes
    alt: str
    caption: str

    @property
    def url(self) -> str:
        """The picture as a data URL."""
        return "data:image/png;base64," + base64.b64encode(self.data).decode()


def showcase_picture(exercise: Exercise, array: np.ndarray, caption: str) -> Picture | None:
    """The student's map of the exercise's real photo, laid over it."""
    field = _as_map(array)
    if exercise.showcase is None or field is None:
        return None
    images = exercise.showcase().inputs.get("images")
    if images is None or not np.isfinite(field).all():
        return Picture(_map_alone(field), _numbers(field), caption)
    return Picture(_overlay(images[0], field), _numbers(field), caption)


def practice_showcase(exercise: Exercise, function) -> Picture | None:
    """Draws what a function gives for the real photo, called in this very process."""
    if exercise.showcase is None:
        return None
    result = observe(function, [planned(exercise, exercise.showcase())])[0]
    if result.kind != "value" or not result.arrays:
        return None
    return showcase_picture(exercise, result.arrays[0], "your map on a real photo")


def _as_map(array: np.ndarray) -> np.ndarray | None:
    """The first [h w] of an array that has one, float64."""
    if array.ndim < 2 or min(array.shape) < 1 or max(array.shape) > 4096:
        return None
    while array.ndim > 2:
        array = array[0]
    return array.astype(np.float64)


def _numbers(field: np.ndarray) -> str:
    at = np.unravel_index(int(np.nan_to_num(field).argmax()), field.shape)
    return f"Map of {field.shape[0]} by {field.shape[1]} values, largest at row {at[0]}, column {at[1]}."


def _map_alone(field: np.ndarray) -> bytes:
    import cnnviz

    figure = _figure(2.6, 2.5)
    cnnviz.show_map(field, ax=figure.subplots(), title="yours")
    return _png(figure)


def _overlay(image, field: np.ndarray) -> bytes:
    import cnnviz

    figure = _figure(3.4, 3.2)
    photo = cnnviz.deprocess(image) if image.shape[0] == 3 else image
    cnnviz.overlay(photo, field, ax=figure.subplots())
    return _png(figure)


def _figure(width: float, height: float):
    return load("matplotlib.figure").Figure(figsize=(width, height), dpi=110, layout="constrained")


def _png(figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

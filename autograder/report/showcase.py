"""A student's map of a real photo, and the formula's, as PNG with an alternative text that carries the numbers."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

import cnnviz
from autograder.core.oracle import Recording, planned
from autograder.course.recorded.pack import SHOWCASE
from autograder.course.records import Exercise
from autograder.isolated import Cell, Observation, PlannedCall, Request, observe
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


def practice_showcase(exercise: Exercise, function: Callable[..., Any], *, failed: bool) -> list[Picture]:
    """Draws what a function gives for the real photo, called in this very process.

    Args:
        exercise: the exercise.
        function: the student's.
        failed: whether the formula's map and the difference are drawn beside it, where there is one.
    """
    return _pictures(exercise, lambda call: observe(function, [call]), failed)


def isolated_showcase(exercise: Exercise, cells: Sequence[Cell], runner: Any, *, failed: bool) -> list[Picture]:
    """The same from an isolated run of its own (`runner.run`)."""

    def ran(call: PlannedCall) -> Sequence[Observation]:
        request = Request(tuple(cells), exercise.function, calls=[call], seconds=exercise.seconds)
        observations: Sequence[Observation] = runner.run(request).observations
        return observations

    return _pictures(exercise, ran, failed)


@cache
def formula_map(exercise: Exercise) -> np.ndarray | None:
    """The formula's map of the exercise's real photo, `[h w]`."""
    if exercise.showcase is None:
        return None
    if isinstance(exercise.reference, Recording):
        return _map_of(exercise.reference.recorded(SHOWCASE))
    return _map_of(observe(exercise.reference, [planned(exercise, exercise.showcase())]))


def _pictures(exercise: Exercise, ran: Callable[[PlannedCall], Sequence[Observation]], failed: bool) -> list[Picture]:
    if exercise.showcase is None:
        return []
    call = exercise.showcase()
    mine = _map_of(ran(planned(exercise, call)))
    if mine is None:
        return []
    fields = {"your map on a real photo": mine}
    right = formula_map(exercise) if failed else None
    if right is not None and not (mine.shape == right.shape and np.allclose(mine, right, 1e-4, 1e-4 * np.ptp(right))):
        fields["the formula's"] = right
        if mine.shape == right.shape:
            fields["the difference: yours minus the formula's"] = mine - right
    images = call.inputs.get("images")
    return [Picture(_drawn(images, field), _numbers(field), caption) for caption, field in fields.items()]


def _map_of(results: Sequence[Observation]) -> np.ndarray | None:
    """The first map of a call's first output; None where it gave none."""
    first = results[0] if results else None
    return _as_map(first.arrays[0]) if first is not None and first.kind == "value" and first.arrays else None


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


def _drawn(images: Any, field: np.ndarray) -> bytes:
    """The map over the photo; alone where there is none, or where its grid is not one of this photo."""
    if images is not None and np.isfinite(field).all():
        with contextlib.suppress(ValueError):
            return _overlay(images[0], field)
    figure = _figure(2.6, 2.5)
    cnnviz.show_map(field, ax=figure.subplots())
    return _png(figure)


def _overlay(image: Any, field: np.ndarray) -> bytes:
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

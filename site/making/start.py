"""The student's first page."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.course import registry
from autograder.course.records import Exercise, Lesson
from making.places import ROOT, Places
from making.templates import render

BEGINNINGS = {
    "01_filters": "the shortest way in: look at what the first layer has learned",
    "07_occlusion": "no gradients: hide a part of the picture and see what the score does",
    "11_grad_cam": "the map that everybody uses, in four small functions",
}
"""Lessons that ask for nothing before them -> why one would begin there."""
EXERCISE, MISTAKE = "grad_cam.neuron_importance", "sum_for_mean"
"""The exercise and the known mistake that are shown as an example."""


def write_start(places: Places, lessons: Sequence[Lesson], *, gallery: bool) -> None:
    """Writes `start.md`."""
    beginnings = [(lesson, BEGINNINGS[lesson.id]) for lesson in lessons if lesson.id in BEGINNINGS]
    exercise, sentence = example()
    values = {"first": lessons[0], "beginnings": beginnings, "exercise": exercise, "sentence": sentence}
    there = {"gallery": gallery, "places": (ROOT / "docs" / "places.md").is_file()}
    places.write("start.md", render("start.md.j2", **values, **there))


def example() -> tuple[Exercise, str]:
    """An exercise, and what the check says to somebody who sums where the formula has a mean."""
    exercise = registry.exercise(EXERCISE)
    return exercise, next(known.sentence for known in exercise.misconceptions if known.name == MISTAKE)

"""The front page: a picture that can be asked, how a lesson goes, and every lesson with its picture."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from autograder.course.records import Lesson
from autograder.gallery.subject import MOSAIC
from cnnviz_ref import grad_cam
from making.figures import webp
from making.kept import Made, kept
from making.lessons import cover_words
from making.places import ROOT, Places, python_files
from making.start import example
from making.templates import render

SOCIAL = "social.png"
"""What a link to the site shows elsewhere: 1200 by 630 pixels."""


def write_front(places: Places, lessons: Sequence[Lesson], *, gallery: bool) -> None:
    """Writes the front page, the map of the lessons, and their pictures.

    Args:
        places: of the build.
        lessons: those that have a page.
        gallery: whether the gallery has pictures.
    """
    sources = [*python_files("cnnviz"), ROOT / "cnnviz_ref" / "grad_cam.py", Path(__file__)]
    made = kept("front", sources, _asked, execute=True)
    assert made is not None
    files, asked = made
    for name, data in files.items():
        places.write(f"static/{name}" if name == SOCIAL else f"front/{name}", data)
    for lesson in lessons:
        cover = webp((ROOT / "lessons" / lesson.id / "picture.png").read_bytes(), widest=900, quality=78)
        places.write(f"front/{lesson.name}.webp", cover)
    exercise, sentence = example()
    words = {lesson.id: cover_words(lesson) for lesson in lessons}
    values = {"lessons": lessons, "words": words, "minutes": sum(map(minutes, lessons))}
    told = {"exercise": exercise, "sentence": sentence, "gallery": gallery, "asked": asked}
    places.write("index.md", render("index.md.j2", **values, **told))
    places.write("lessons/index.md", render("lessons.md.j2", **values))


def minutes(lesson: Lesson) -> int:
    """What its exercises take together."""
    return sum(exercise.minutes for exercise in lesson.exercises)


def _asked() -> Made:
    """The mosaic, four times: where is each class? With the share of the map that lies in the class's quarter."""
    mosaic = cnnviz.mosaic(MOSAIC, size=224)
    images = cnnviz.preprocess(mosaic.image, size=448).expand(4, -1, -1, -1)
    maps = grad_cam(cnnviz.efficientnet_lite0().requires_grad_(False), images, mosaic.targets, "features")
    large = F.interpolate(maps[:, None], size=mosaic.image.shape[1:], mode="bilinear", align_corners=False)[:, 0]
    files = {"mosaic.webp": webp(_drawn(mosaic.image, None))}
    files[SOCIAL] = _card(mosaic.image, large[1])
    asked = []
    for name, one, (top, left, bottom, right) in zip(mosaic.names, large, mosaic.quadrants.tolist(), strict=True):
        files[f"asked_{name}.webp"] = webp(_drawn(mosaic.image, one))
        share = round(100 * float(one[top:bottom, left:right].sum() / one.sum()))
        asked.append([name, cnnviz.PHOTO_CLASS[name], share])
    return files, asked


def _drawn(picture: Tensor, one: Tensor | None) -> bytes:
    figure = Figure(figsize=(4.8, 4.8), dpi=150)
    _show(figure.add_axes((0, 0, 1, 1)), picture, one)
    return _png(figure)


def _card(picture: Tensor, one: Tensor) -> bytes:
    """Picture and map side by side, above them the question."""
    figure = Figure(figsize=(12, 6.3), dpi=100, facecolor="#14181e")
    figure.text(0.05, 0.62, "What does a\nnetwork see?", color="white", fontsize=48, weight="bold", va="center")
    figure.text(0.05, 0.3, "Look inside a CNN: you write\nthe methods, checks answer at once.",
                color="#c9d1dc", fontsize=19, va="center")  # fmt: skip
    _show(figure.add_axes((0.49, 0.08, 0.441, 0.84)), picture, one)
    return _png(figure)


def _show(ax: Any, picture: Tensor, one: Tensor | None) -> None:
    if one is None:
        ax.imshow(picture.permute(1, 2, 0))
    else:
        cnnviz.overlay(0.15 + 0.85 * picture.mean(0, keepdim=True), one, colorbar=False, ax=ax)
    ax.axis("off")


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

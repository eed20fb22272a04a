"""What is asked of the page and what it answers: pictures, or why there are none as a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

import cnnviz
from autograder.explore.explorable import EXPLORABLE, Knob, grids
from autograder.gallery.album import TITLES
from autograder.gallery.drawing import Panel
from autograder.gallery.options import DIGITS, choose
from autograder.gallery.recipes.record import captions
from autograder.gallery.subject import LOOKS, Subject
from autograder.report import pages

FIELDS = ("photo", "network", "weights", "class", "method", "layer")
"""What is asked beside the knobs; `weights` is "trained" or "random"."""


@dataclass(frozen=True)
class Turned:
    """A knob, and where it stands."""

    knob: Knob
    at: int

    @property
    def label(self) -> str:
        """What it says there."""
        return list(self.knob.values)[self.at]


@dataclass(frozen=True)
class Answer:
    """What the page says."""

    subject: Subject | None = None
    panels: Sequence[Panel] = ()
    error: str = ""


def page(asked: Mapping[str, str], folder: Path, nonce: str) -> Markup:
    """The whole page.

    Args:
        asked: the fields, and for each knob the number of its value; what is missing stands where it begins.
        folder: where paths of photos begin.
        nonce: of the page's script.
    """
    method = asked["method"] if asked.get("method") in EXPLORABLE else next(iter(EXPLORABLE))
    fields = {name: asked.get(name, "").strip() for name in FIELDS} | {"method": method}
    turned = [Turned(knob, _at(knob, asked.get(knob.name))) for knob in EXPLORABLE[method].knobs]
    answer = answered(fields, turned, folder)
    titles = {name: TITLES.get(name, name.replace("_", " ").capitalize()) for name in EXPLORABLE}
    return pages.page(
        "explore.html.j2", fields=fields, turned=turned, answer=answer, titles=titles, nonce=nonce,
        usual=EXPLORABLE[method].layer, caption=captions()[method], photos=[*cnnviz.photos(), "mosaic", *DIGITS],
        networks=[*LOOKS, *_torchvision()], classes=cnnviz.class_names(),
        layers=grids(answer.subject) if answer.subject else [],
    )  # fmt: skip


def answered(fields: Mapping[str, str], turned: Sequence[Turned], folder: Path) -> Answer:
    """The pictures that were asked for; whatever goes wrong is a sentence."""
    subject = None
    try:
        asked = (_photo(fields["photo"], folder), fields["network"], fields["weights"], fields["class"])
        subject = subject_of(*asked)
        layer = fields["layer"] if EXPLORABLE[fields["method"]].layer else ""
        values = tuple((one.knob.name, one.knob.values[one.label]) for one in turned)
        return Answer(subject, panels(asked, fields["method"], layer, values))
    except Exception as error:  # a network of torchvision may refuse a method in any way
        return Answer(subject, (), _sentence(error))


@lru_cache(maxsize=4)
def subject_of(photo: str, name: str, weights: str, target: str) -> Subject:
    """What is looked at; trained weights that cannot be had are random ones, and the subject says so."""
    try:
        return choose(photo, target or None, name, random_weights=weights == "random" and name not in LOOKS)
    except ValueError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        subject = choose(photo, target or None, name, random_weights=True)
        return replace(subject, weights=f"The trained weights could not be downloaded. {subject.weights}")


@lru_cache(maxsize=64)
def panels(
    asked: tuple[str, str, str, str], method: str, layer: str, values: tuple[tuple[str, Any], ...]
) -> tuple[Panel, ...]:
    """One method's pictures of what `subject_of` is asked for; a knob that is turned back answers at once."""
    return tuple(EXPLORABLE[method].draw(subject_of(*asked), layer, **dict(values)))


def _at(knob: Knob, asked: str | None) -> int:
    start = list(knob.values).index(knob.start)
    return min(int(asked), len(knob.values) - 1) if asked is not None and asked.isdecimal() else start


def _photo(named: str, folder: Path) -> str:
    """The photo as it was named; a path begins where the command was given."""
    here = folder / Path(named).expanduser()
    return str(here) if named and named not in (*cnnviz.photos(), "mosaic", *DIGITS) and here.exists() else named


@lru_cache
def _torchvision() -> list[str]:
    from torchvision import models

    return models.list_models(module=models)


def _sentence(error: Exception) -> str:
    """What is wrong, in the page's words: options of the command line are fields here."""
    if not isinstance(error, ValueError):
        return f"This network does not take it: {type(error).__name__}: {error}"
    text = str(error)
    for option, field in {"--model": "network", "--target": "class", "--photo": "photo"}.items():
        text = text.replace(option, field)
    return text

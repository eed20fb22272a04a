"""The page with every method on one picture: what `cnnviz gallery` draws, with its captions."""

from __future__ import annotations

from typing import Any

import torch

from autograder.course import registry
from autograder.gallery.album import TITLES
from autograder.gallery.options import choose
from autograder.gallery.recipes import recipe
from cnnviz_ref import METHODS
from making.figures import webp
from making.kept import Made, kept
from making.places import ROOT, Places, python_files
from making.templates import render

PHOTO = "mosaic"


def write_gallery(places: Places, *, execute: bool) -> bool:
    """Writes the page with its panels; whether there is one."""
    sources = [*python_files("cnnviz", "cnnviz_ref", "autograder/gallery"), ROOT / "autograder/gallery/captions.md"]
    made = kept("gallery", sources, _made, execute=execute)
    files, sections = made if made else ({}, [])
    for name, data in files.items():
        places.write(f"gallery/{name}", data)
    lessons = {lesson.id: lesson.title for lesson in registry.lessons()}
    places.write("gallery.md", render("gallery.md.j2", sections=sections, lessons=lessons))
    return bool(sections)


def _made() -> Made:
    subject = choose(PHOTO, None, "efficientnet_lite0")
    files: dict[str, bytes] = {}
    sections = []
    for method in METHODS:
        chosen = recipe(method)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            panels = chosen.draw(subject)
        names = [f"{method.name}_{number}.webp" for number in range(1, len(panels) + 1)]
        files |= {name: webp(panel.data, widest=800) for name, panel in zip(names, panels, strict=True)}
        pictures = [[name, panel.alt, panel.caption] for name, panel in zip(names, panels, strict=True)]
        sections.append(_section(method, vars(chosen.caption), pictures))
    return files, sections


def _section(method: Any, caption: dict[str, str], pictures: list[list[str]]) -> dict[str, Any]:
    title = TITLES.get(method.name, method.name.replace("_", " ").capitalize())
    return {"name": method.name, "lesson": method.lesson, "title": title, "caption": caption, "pictures": pictures}

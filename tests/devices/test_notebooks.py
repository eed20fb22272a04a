"""The cells of solved notebooks on another device, which is torch's default one, as a GPU is after one line.

`torch.set_default_device("cuda")`, and the kit's networks and pictures moved there: what a cell makes lies there too,
unless it comes from numpy. What a cell draws from a generator of the CPU, so that the numbers are the same everywhere,
is moved here, and what matplotlib is to show is taken to the CPU: on a GPU both are the user's to do.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

import autograder
import cnnviz
from autograder.course import registry
from tests.devices import pretend
from tests.devices.pretend import DEVICE, Pretend, device_at_hand

ROOT = Path(__file__).parents[2]
KIT = ("efficientnet_lite0", "digit_net", "load_model", "pretrained", "photo", "mosaic", "cluttered_digits")
"""Whose results are moved to the device."""
UNSEEN = ("03_tsne", "05_max_patches", "06_class_visualization", "15_which_map")
"""Lessons that compute for minutes on the pretend device; the others have the same kinds of cells."""
SEEN = [lesson for lesson in registry.lessons() if lesson.id not in UNSEEN]


class Drawing(TorchFunctionMode):
    """What is drawn from a generator of the CPU, moved to the device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("generator") is None or "device" in kwargs:
            return func(*args, **kwargs)
        return there(func(*args, **kwargs, device="cpu"))


def cells(lesson: str) -> list[str]:
    (path,) = (ROOT / "solutions" / lesson).glob("*.ipynb")
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]


def there(value: Any) -> Any:
    if isinstance(value, torch.Tensor | nn.Module):
        return value.to(DEVICE)
    if isinstance(value, tuple):
        return tuple(map(there, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts = {part.name: there(getattr(value, part.name)) for part in dataclasses.fields(value)}
        return dataclasses.replace(value, **parts)
    return value


def moved(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        with torch.device("cpu"):
            found = function(*args, **kwargs)
        return there(found)

    return run


@contextmanager
def on_the_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    matplotlib.use("agg")
    from matplotlib import pyplot

    for name in KIT:
        monkeypatch.setattr(cnnviz, name, moved(getattr(cnnviz, name)))
    monkeypatch.setattr(autograder, "check", lambda *args, **kwargs: None)  # on the CPU; test_exercises is about them
    monkeypatch.setattr(pyplot, "show", lambda: pyplot.close("all"))
    monkeypatch.setattr(pretend, "_TO_NUMPY", ("numpy",))
    numbers = lambda self, dtype=None, copy=None: np.asarray(self.inner.detach(), dtype=dtype)  # noqa: E731
    monkeypatch.setattr(Pretend, "__array__", numbers)
    with device_at_hand(DEVICE), torch.device(DEVICE), Drawing():
        yield
    pyplot.close("all")


def refused(name: str, texts: list[str]) -> dict[str, str]:
    """Line -> what the device says to it; names that are missing because a cell before failed are no fault."""
    found: dict[str, str] = {}
    space: dict[str, Any] = {"__name__": "__main__"}
    for n, text in enumerate(texts):
        try:
            exec(compile(text, f"{name}[{n}]", "exec"), space)
        except Exception as error:
            if not (found and isinstance(error, NameError)):
                *_, frame = (f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(f"{name}["))
                lines = texts[int(frame.filename[len(name) + 1 : -1])].splitlines()
                found[lines[frame.lineno - 1].strip()] = f"{type(error).__name__}: {error}"
    return found


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # numpy warns of `Pretend`
@pytest.mark.parametrize("lesson", SEEN, ids=lambda lesson: lesson.id)
def test_no_cell_mixes_devices(lesson: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "solutions" / lesson.id)
    with on_the_device(monkeypatch):
        found = refused(lesson.name, cells(lesson.id))
    assert found == {}


WRONG = "import numpy, torch\nx = cnnviz.photo('coffee')\nfar = torch.from_numpy(numpy.ones((512, 512)))\ny = x + far"


def test_a_cell_that_mixes_devices_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with on_the_device(monkeypatch):
        found = refused("wrong", [f"import cnnviz\n{WRONG}", "z = y + 1"])
    assert list(found) == ["y = x + far"]
    assert "Expected all tensors to be on the same device" in found["y = x + far"]

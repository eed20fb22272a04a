"""Panels: one PNG each, with its numbers in the alternative text. Only here are maps clipped, coloured and labelled."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from autograder.gallery.subject import Subject, Target
from autograder.isolated.current_folder import load
from autograder.report.showcase import Picture

DPI = 150
SHARE = 0.995
"""Of a pixel map's values that keep their own colour; the few largest would leave the rest without contrast."""


@dataclass(frozen=True)
class Panel(Picture):
    """A picture of the gallery."""

    @property
    def width(self) -> int:
        """In CSS pixels."""
        return round(struct.unpack(">I", self.data[16:20])[0] * 96 / DPI)

    @property
    def height(self) -> int:
        """In CSS pixels."""
        return round(struct.unpack(">I", self.data[20:24])[0] * 96 / DPI)


def drawn(size: tuple[float, float], draw: Callable[[Any], object]) -> bytes:
    """The PNG of what `draw` puts on a figure of that width and height in inches."""
    # A file's name may hold a $, which is no formula, and letters that the font lacks.
    with (
        load("matplotlib").rc_context({"font.size": 9, "axes.titlesize": 10, "text.parse_math": False}),
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", message="Glyph")
        figure = load("matplotlib.figure").Figure(figsize=size, dpi=DPI, layout="constrained")
        draw(figure)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", facecolor="white")
    return buffer.getvalue()


def over(subject: Subject, one: Tensor, title: str, caption: str, **options: Any) -> Panel:
    """A map over the picture in grey, with the true box where it is known."""
    target = options.pop("target", None)

    def draw(figure: Any) -> None:
        ax = figure.subplots()
        cnnviz.overlay(subject.pale, one, title=title, ax=ax, **options)
        _outline(ax, target)

    return Panel(drawn((3.5, 2.9), draw), f"{title}, over the picture: {numbers(one)}", caption)


def alone(one: Tensor, title: str, caption: str, *, share: float = SHARE, **options: Any) -> Panel:
    """A map by itself; the largest values share the last colour."""
    target = options.pop("target", None)

    def draw(figure: Any) -> None:
        ax = figure.subplots()
        cnnviz.show_map(clipped(one, share), title=title, ax=ax, **options)
        _outline(ax, target)

    return Panel(drawn((3.5, 2.9), draw), f"{title}: {numbers(one)}", caption)


def grey(signed: Tensor, title: str, caption: str, *, share: float = SHARE) -> Panel:
    """`[C H W]` of both signs as a picture: zero is mid-grey in every colour channel."""
    low_contrast = clipped(signed.detach().double(), share)
    shown = 0.5 + low_contrast / (2 * low_contrast.abs().max().clamp(min=1e-30))
    return photo(shown, title, caption, alt=f"{title}, grey is zero: {numbers(signed.abs().amax(0))}")


def photo(picture: Tensor, title: str, caption: str, *, alt: str = "") -> Panel:
    """`[C H W]` in [0, 1]."""

    def draw(figure: Any) -> None:
        ax = figure.subplots()
        _show(ax, picture, title)

    return Panel(drawn((2.9, 3.05), draw), alt or f"{title}.", caption)


def sheet(
    pictures: Sequence[Tensor], titles: Sequence[str], title: str, caption: str, *, columns: int = 4, alt: str = ""
) -> Panel:
    """Several small pictures `[C H W]` in [0, 1] on one sheet."""
    rows = -(-len(pictures) // columns)

    def draw(figure: Any) -> None:
        figure.suptitle(title, fontsize=10)
        axes = np.atleast_1d(figure.subplots(rows, columns)).ravel()
        for ax in axes[len(pictures) :]:
            ax.remove()
        for ax, picture, small in zip(axes, pictures, titles, strict=False):
            _show(ax, picture, small, fontsize=8)

    side = 4.6 / columns
    return Panel(drawn((4.6, 0.3 + rows * (side + (0.16 if any(titles) else 0))), draw), alt or f"{title}.", caption)


def maps(fields: Sequence[Tensor], titles: Sequence[str], title: str, caption: str, *, columns: int = 4) -> Panel:
    """Several maps `[h w]` on one sheet, each with its own range of colours."""
    rows = -(-len(fields) // columns)

    def draw(figure: Any) -> None:
        figure.suptitle(title, fontsize=10)
        for ax, field, small in zip(figure.subplots(rows, columns).ravel(), fields, titles, strict=True):
            cnnviz.show_map(field, ax=ax, colorbar=False)
            ax.set_title(small, fontsize=8)

    about = "; ".join(f"{t}: {f.min():.3g} to {f.max():.3g}" for t, f in zip(titles, fields, strict=True))
    return Panel(drawn((4.6, 0.3 + rows * (4.6 / columns + 0.16)), draw), f"{title}: {about}.", caption)


def clipped(values: Tensor, share: float = SHARE) -> Tensor:
    """`values` with magnitudes cut at their `share`-quantile, the same for both signs."""
    q = values.detach().abs().flatten().double().quantile(share)
    return values.clamp(-float(q), float(q)) if q > 0 else values


def per_picture(values: Tensor) -> Tensor:
    """Least to 0, greatest to 1."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low).clamp(min=1e-30)


def numbers(field: Tensor) -> str:
    """A map in words: range, and where its largest value is."""
    h, w = field.shape[-2:]
    row, column = divmod(int(field.reshape(-1).argmax()), w)
    down, across = ("upper", "middle", "lower")[3 * row // h], ("left", "centre", "right")[3 * column // w]
    return f"{h} by {w} values from {float(field.min()):.3g} to {float(field.max()):.3g}, largest {down} {across}."


def inside(subject: Subject, one: Tensor, target: Target) -> str:
    """How much of a map's positive part lies where its class is; empty where that is not known."""
    if target.box is None:
        return ""
    positive = F.interpolate(one.detach()[None, None].double(), size=subject.size, mode="bilinear").clamp(min=0)[0, 0]
    top, left, bottom, right = target.box
    total, area = positive.sum(), (bottom - top) * (right - left) / positive.numel()
    if total == 0:
        return "Nothing is positive."
    within = positive[top:bottom, left:right].sum() / total
    return f"{within:.0%} of what is positive lies in {target.place}, which is {area:.0%} of the picture."


def _show(ax: Any, picture: Tensor, title: str, **font: Any) -> None:
    shown = torch.nan_to_num(picture.detach()).clamp(0, 1).expand(3, -1, -1).permute(1, 2, 0)
    ax.imshow(shown.numpy(), interpolation="nearest")
    ax.set_title(title, **font)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


def _outline(ax: Any, target: Target | None) -> None:
    if target is None or target.box is None:
        return
    from matplotlib.patches import Rectangle

    top, left, bottom, right = target.box
    corner, width, height = (left - 0.5, top - 0.5), right - left, bottom - top
    for style in ({"ec": "white", "lw": 2.5}, {"ec": "black", "ls": "--", "lw": 1.2}):  # seen on light and on dark
        ax.add_patch(Rectangle(corner, width, height, fill=False, **style))  # type: ignore[arg-type]

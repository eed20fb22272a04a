"""Pictures with knobs. All of them are drawn ahead, so that a slider needs no running kernel and no library."""

from __future__ import annotations

import base64
import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from cnnviz.figures import _draw, _Field, _photo_or_field, overlay

WIDTH, QUALITY = 260, 50
"""Of a picture: pixels, and WebP's quality. A notebook holds them all."""


@dataclass(frozen=True)
class Choice:
    """One setting of all knobs, and its picture."""

    at: tuple[int, ...]
    """Which value of each knob."""
    words: str
    """The values, and what `draw` says of them."""
    alt: str
    webp: bytes


@dataclass(frozen=True)
class Sliders:
    """What `play` gives: Jupyter shows a slider for each knob, or all pictures where no script runs."""

    knobs: Mapping[str, Sequence[str]]
    """Name of a knob -> its values in words."""
    choices: Sequence[Choice]

    def __repr__(self) -> str:
        knobs = "; ".join(f"{name}: {', '.join(values)}" for name, values in self.knobs.items())
        return f"{len(self.choices)} pictures ({knobs})"

    def _repr_html_(self) -> str:
        knobs = "".join(_slider(name, values) for name, values in self.knobs.items())
        figures = "".join(map(_figure, self.choices))
        # JupyterLab's own keys keep away from what is inside.
        return (
            f'<div class="cnnviz-play" data-lm-suppress-shortcuts="true"><style>{_STYLE}</style>'
            f'<div class="cnnviz-knobs">{knobs}</div><div class="cnnviz-choices">{figures}</div>'
            f"<script>{_SCRIPT}</script></div>"
        )


def play(draw: Callable[..., Any], /, *, photo: Any = None, signed: bool | None = None, **knobs: Any) -> Sliders:
    """Shows with sliders what some numbers change: one picture for every combination of the knobs' values.

    All pictures are drawn before the sliders appear, so that turning one answers at once, also after the kernel has
    ended. Where a page runs no scripts, the pictures stand side by side.

    Args:
        draw: called with a value for every knob, by name; gives one picture or map, as `show_grid` takes it, or a pair
            of it and of words to stand below.
        photo: laid under the maps, as in `overlay`.
        signed: as in `show_map`.
        knobs: name of a knob -> its values in their order, or a dictionary: how a value is called -> the value.

    Raises:
        ValueError: there is no knob, or one has no values.

    >>> play(lambda size, to: to * np.eye(size), size=[2, 3], to={"one": 1, "two": 2})
    4 pictures (size: 2, 3; to: one, two)
    """
    named = {name: _named(name, values) for name, values in knobs.items()}
    if not named:
        raise ValueError("knobs: got none; allowed is one or more; pass for example window=[8, 16, 32].")
    choices = []
    for picked in itertools.product(*(enumerate(values.items()) for values in named.values())):
        made = draw(**{name: value for name, (_, (_, value)) in zip(named, picked, strict=True)})
        picture, said = made if isinstance(made, tuple) else (made, "")
        item = _photo_or_field(picture, signed)
        words = ", ".join(f"{name} {label}" for name, (_, (label, _)) in zip(named, picked, strict=True))
        choices.append(
            Choice(
                tuple(i for i, _ in picked),
                f"{words}: {said}" if said else words,
                f"{words}: {_described(item)}",
                _webp(item, picture, photo, signed),
            )
        )
    return Sliders({name: list(values) for name, values in named.items()}, choices)


def _named(name: str, values: Any) -> dict[str, Any]:
    named = {str(label): value for label, value in values.items()} if isinstance(values, Mapping) else {
        f"{value:g}" if isinstance(value, float) else str(value): value for value in values
    }  # fmt: skip
    if not named:
        raise ValueError(f"{name}: got no values; allowed is one or more; pass for example {name}=[1, 2, 3].")
    return named


def _described(item: np.ndarray | _Field) -> str:
    if isinstance(item, np.ndarray):
        return "a picture"
    finite = item.values[np.isfinite(item.values)]
    return f"a map from {finite.min():.3g} to {finite.max():.3g}" if finite.size else "a map without a finite value"


def _webp(item: np.ndarray | _Field, picture: Any, photo: Any, signed: bool | None) -> bytes:
    from matplotlib.figure import Figure
    from PIL import Image

    buffer = io.BytesIO()
    if isinstance(item, np.ndarray):
        pixels = Image.fromarray((255 * item).round().astype(np.uint8))
        pixels.thumbnail((WIDTH, WIDTH))
        pixels.save(buffer, "webp", quality=QUALITY)
        return buffer.getvalue()
    figure = Figure(figsize=(WIDTH / 100, WIDTH / 120), dpi=100)
    ax = figure.add_axes((0.02, 0.1, 0.86, 0.87))  # fixed, so that a map does not jump when a knob is turned
    if photo is None:
        _draw(ax, item, None, colorbar=True)
    else:
        overlay(photo, picture, signed=signed, ax=ax)
    figure.savefig(buffer, format="webp", pil_kwargs={"quality": QUALITY})
    return buffer.getvalue()


def _slider(name: str, values: Sequence[str]) -> str:
    said = escape("|".join(value.replace("|", "/") for value in values))
    return (
        f'<label><span>{escape(name)}</span> <input type="range" min="0" max="{len(values) - 1}" value="0" '
        f'aria-label="{escape(name)}" data-values="{said}"> <output></output></label>'
    )


def _figure(choice: Choice) -> str:
    source = f"data:image/webp;base64,{base64.b64encode(choice.webp).decode()}"
    at = " ".join(map(str, choice.at))
    return (
        f'<figure data-at="{at}"><img src="{source}" alt="{escape(choice.alt)}">'
        f"<figcaption>{escape(choice.words)}</figcaption></figure>"
    )


_STYLE = (
    ".cnnviz-knobs{display:none}.cnnviz-choices{display:flex;flex-wrap:wrap;gap:.5rem}"
    ".cnnviz-choices figure{margin:0;width:11rem}.cnnviz-choices img{width:100%;height:auto;background:#fff}"
    ".cnnviz-choices figure[hidden]{display:none}.cnnviz-choices figcaption{font-size:.85rem}"
    ".cnnviz-on .cnnviz-knobs{display:flex;flex-wrap:wrap;gap:.3rem 1.5rem;margin:.3rem 0}"
    ".cnnviz-on label{display:flex;gap:.5rem;align-items:center}.cnnviz-on output{min-width:5rem}"
    ".cnnviz-on .cnnviz-choices figure{width:23rem;max-width:100%}"
)
_SCRIPT = (
    "(root=>{const knobs=[...root.querySelectorAll('input')],figures=[...root.querySelectorAll('figure')];"
    "const turn=()=>{knobs.forEach(k=>{const v=k.dataset.values.split('|')[k.value];"
    "k.setAttribute('aria-valuetext',v);k.parentElement.querySelector('output').textContent=v});"
    "const at=knobs.map(k=>k.value).join(' ');figures.forEach(f=>f.hidden=f.dataset.at!==at)};"
    "knobs.forEach(k=>k.addEventListener('input',turn));root.classList.add('cnnviz-on');turn()"
    "})(document.currentScript.parentElement)"
)

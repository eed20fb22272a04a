"""Pictures of maps. Upsampling, normalising and colouring happen here and nowhere else: methods return raw numbers.

Both colour scales are safe for colour-blind readers: viridis from low to high, and for maps with both signs a diverging
one, blue below zero, white at zero, red above. Colour bars always show the raw values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

SEQUENTIAL, DIVERGING = "viridis", "RdBu_r"
NOT_FINITE = "0.6"  # grey
ROUNDING = 0.01
"""How far a photo's values may lie outside their range: bicubic resizing overshoots, 8-bit files round."""


@dataclass(frozen=True)
class _Field:
    """A map ready to draw."""

    values: np.ndarray
    """float64 `[H W]`; NaN where the map is not finite."""
    low: float
    """Raw value of the first colour."""
    high: float
    """Raw value of the last colour."""
    signed: bool
    """Whether zero is the middle colour."""
    note: str
    """A sentence on what the colours cannot show; empty for an ordinary map."""

    @property
    def constant(self) -> bool:
        """One value only: no colour bar, the note says which."""
        return self.low == self.high


def show_map(
    map: Any,
    *,
    size: tuple[int, int] | None = None,
    title: str | None = None,
    signed: bool | None = None,
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draws one map in colours, with its raw values beside it.

    Args:
        map: `[h w]` or `[1 h w]`, tensor or array; a map with several channels is refused, `show_grid` draws those.
        size: (H, W) in pixels to which the map is upsampled (bilinear, align_corners=False); as it is when left out.
        title: text above.
        signed: True centres the colours at zero; chosen by whether the map has both signs when left out.
        colorbar: whether the colour bar is drawn.
        ax: where to draw; a new figure when left out.

    Returns:
        The Axes. A constant map and values that are not finite are drawn, and a sentence below says so.

    Raises:
        ValueError: `map` is not one map.

    >>> show_map(torch.eye(3), title="identity").get_title()
    'identity'
    """
    field = _field(_plane(map, "map"), size, signed)
    ax = _axes(ax)
    drawn = ax.imshow(field.values, interpolation="nearest", **_colours(field))
    return _finish(ax, title, field.note, drawn if colorbar and not field.constant else None)


def overlay(
    photo: Any,
    map: Any,
    *,
    title: str | None = None,
    signed: bool | None = None,
    alpha: float = 0.7,
    colorbar: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draws a map, upsampled to the photo's size (bilinear, align_corners=False), over the photo.

    The map's colour is the more opaque the further its value is from the lowest one (from zero, for signed maps), so
    that the photo stays visible where the map says nothing.

    Args:
        photo: the picture that the network saw, `[C H W]` or `[1 C H W]` with C 1 or 3, in [0, 1]; one with negative
            values is taken for `preprocess`'s [-1, 1].
        map: `[h w]` or `[1 h w]`, as in `show_map`.
        title: text above.
        signed: as in `show_map`.
        alpha: opacity of the highest value, 0 to 1.
        colorbar: whether the colour bar is drawn.
        ax: where to draw; a new figure when left out.

    Raises:
        ValueError: a wrong shape, or the map has other proportions than the photo: the network saw a crop of it.

    >>> overlay(torch.rand(3, 32, 32), torch.eye(4)).get_images()[1].get_array().shape
    (32, 32, 4)
    """
    picture = _picture(photo)
    plane = _plane(map, "map")
    _refuse_other_crop(picture.shape[:2], plane.shape)
    field = _field(plane, picture.shape[:2], signed)
    ax = _axes(ax)
    ax.imshow(picture, vmin=0, vmax=1)
    colours = _mappable(field)
    veil = colours.to_rgba(field.values)
    veil[..., 3] = np.where(np.isnan(field.values), 1, _strength(field)) * alpha
    ax.imshow(veil)
    return _finish(ax, title, field.note, colours if colorbar and not field.constant else None)


def show_grid(
    pictures: Sequence[Any] | Tensor,
    titles: Sequence[str] | None = None,
    *,
    columns: int | None = None,
    signed: bool | None = None,
    shared: bool = False,
    colorbar: bool = False,
) -> Figure:
    """Draws several pictures side by side: photos as they are, maps in colours.

    Args:
        pictures: each `[3 H W]`, a photo in [0, 1] (with negative values, as of a gradient: grey is zero, the largest
            |value| is full colour), or one map as in `show_map`. A tensor `[N C H W]` or `[N h w]` is N pictures.
        titles: one text for each picture.
        columns: pictures in a row; up to five when left out.
        signed: as in `show_map`, for all maps.
        shared: one range of colours for all maps, so that they can be compared; else each has its own.
        colorbar: whether each map has its colour bar.

    Raises:
        ValueError: no picture, a wrong shape, or as many titles as there are not pictures.

    >>> len(show_grid([torch.rand(3, 8, 8), torch.eye(4)], titles=["photo", "map"]).axes)
    2
    """
    import matplotlib.pyplot as plt

    items = [_photo_or_field(picture, signed) for picture in pictures]
    _refuse_titles(items, titles)
    if shared:
        items = _share(items)
    wide = min(columns or 5, len(items))
    tall = -(-len(items) // wide)
    figure, axes = plt.subplots(tall, wide, figsize=(2.4 * wide, 2.6 * tall), squeeze=False, layout="constrained")
    for i, ax in enumerate(axes.flat):
        if i < len(items):
            _draw(ax, items[i], titles[i] if titles else None, colorbar)
        else:
            ax.remove()
    return figure


def _draw(ax: Axes, item: np.ndarray | _Field, title: str | None, colorbar: bool) -> None:
    if isinstance(item, _Field):
        drawn = ax.imshow(item.values, interpolation="nearest", **_colours(item))
        _finish(ax, title, item.note, drawn if colorbar and not item.constant else None)
    else:
        ax.imshow(item, vmin=0, vmax=1)
        _finish(ax, title, "", None)


def _photo_or_field(picture: Any, signed: bool | None) -> np.ndarray | _Field:
    array = _array(picture, "pictures")
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim == 3 and len(array) == 3:
        return _colour(array)
    return _field(_plane(array, "pictures"), None, signed)


def _colour(array: np.ndarray) -> np.ndarray:
    """`[H W 3]` in [0, 1] of a photo, or of a signed picture with zero at mid-grey."""
    array = np.nan_to_num(array, nan=0.0, posinf=1.0, neginf=-1.0)
    if array.min() < 0:
        array = 0.5 + array / (2 * np.abs(array).max())
    return array.clip(0, 1).transpose(1, 2, 0)


def _share(items: list[np.ndarray | _Field]) -> list[np.ndarray | _Field]:
    """The same items, all maps with one range of colours."""
    fields = [item for item in items if isinstance(item, _Field)]
    if not fields:
        return items
    low, high = min(field.low for field in fields), max(field.high for field in fields)
    signed = any(field.signed for field in fields)
    if signed:
        low, high = -max(-low, high), max(-low, high)
    return [_Field(i.values, low, high, signed, i.note) if isinstance(i, _Field) else i for i in items]


def _field(plane: np.ndarray, size: tuple[int, ...] | None, signed: bool | None) -> _Field:
    finite = np.isfinite(plane)
    seen = plane[finite] if finite.any() else np.zeros(1)
    low, high = float(seen.min()), float(seen.max())
    if signed is None:
        signed = low < 0 < high
    note = _note(plane.size, int(finite.sum()), low, high)
    if signed:
        high = max(-low, high)
        low = -high
    values = plane if size is None else _upsample(np.where(finite, plane, 0), size)
    hole = ~finite if size is None else _upsample((~finite).astype(float), size) > 0.5
    return _Field(np.where(hole, np.nan, values), low, high, signed, note)


def _upsample(plane: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    tensor = torch.from_numpy(plane)[None, None]
    return F.interpolate(tensor, size=tuple(size), mode="bilinear", align_corners=False)[0, 0].numpy()


def _note(count: int, finite: int, low: float, high: float) -> str:
    if finite == 0:
        return "No value is finite."
    sentences = []
    if finite < count:
        sentences.append(f"{count - finite} of {count} values are not finite (grey).")
    if low == high:
        sentences.append(f"Constant: every value is {low:.3g}.")
    return " ".join(sentences)


def _strength(field: _Field) -> np.ndarray:
    """Opacity in [0, 1]: distance from the lowest value, or from zero where the map is signed."""
    if field.constant:
        return np.zeros_like(field.values)
    distance = (
        np.abs(field.values) / field.high if field.signed else (field.values - field.low) / (field.high - field.low)
    )
    return distance.clip(0, 1)


def _colours(field: _Field) -> dict[str, Any]:
    """Colour map and range for matplotlib; a range of zero width is widened, so that a constant map can be drawn."""
    import matplotlib

    colours = matplotlib.colormaps[DIVERGING if field.signed else SEQUENTIAL].with_extremes(bad=NOT_FINITE)
    spread = max(abs(field.low), 1.0) if field.constant else 0.0
    return {"cmap": colours, "vmin": field.low - spread, "vmax": field.high + spread}


def _mappable(field: _Field) -> ScalarMappable:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    colours = _colours(field)
    return ScalarMappable(Normalize(colours["vmin"], colours["vmax"]), colours["cmap"])


def _axes(ax: Axes | None) -> Axes:
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(4.4, 3.6), layout="constrained")[1] if ax is None else ax


def _finish(ax: Axes, title: str | None, note: str, colours: Any) -> Axes:
    ax.set(xticks=[], yticks=[], title=title or "")
    ax.spines[:].set_visible(False)
    if note:
        ax.set_xlabel(note, fontsize="small", wrap=True)
    if colours is not None:
        ax.figure.colorbar(colours, ax=ax, shrink=0.85, pad=0.02)
    return ax


def _array(values: Any, argument: str) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().to("cpu", torch.float64)
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.size == 0 or values is None:
        got = "nothing" if values is None else type(values).__name__ + " without numbers"
        raise ValueError(f"{argument}: got {got}; allowed are tensors and arrays; pass what a method returned.")
    return array


def _plane(values: Any, argument: str) -> np.ndarray:
    """One map `[h w]`."""
    array = _array(values, argument)
    while array.ndim > 2 and len(array) == 1:
        array = array[0]
    if array.ndim != 2:
        raise ValueError(
            f"{argument}: got shape {list(array.shape)}; allowed are [h w] and [1 h w]; "
            "pass one map, such as maps[0], or all of them to show_grid."
        )
    return array


def _picture(photo: Any) -> np.ndarray:
    """`[H W 3]` in [0, 1]."""
    array = _array(photo, "photo")
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.ndim != 3 or len(array) not in (1, 3):
        raise ValueError(
            f"photo: got shape {list(array.shape)}; allowed are [3 H W] and [1 H W]; pass what cnnviz.photo returns."
        )
    low, high = float(array.min()), float(array.max())
    if low < -1 - ROUNDING or high > 1 + ROUNDING:
        raise ValueError(
            f"photo: got values from {low:.3g} to {high:.3g}; allowed are [0, 1], and [-1, 1] as preprocess gives; "
            "pass the picture as it was before it was normalised: deprocess(images, model=...) gives it."
        )
    if low < -ROUNDING:
        array = (array + 1) / 2
    return np.repeat(array, 3 // len(array), axis=0).clip(0, 1).transpose(1, 2, 0)


def _refuse_other_crop(picture: tuple[int, ...], plane: tuple[int, ...]) -> None:
    """Refuses a grid that no stride gives: down and across, what is left at the edge is cut off, or both filled up."""
    sides = list(zip(picture, plane, strict=True))
    cut = max(side / (cells + 1) for side, cells in sides) < min(side / cells for side, cells in sides)
    filled = max(side / cells for side, cells in sides) < min(side / (cells - 1 or 1e-9) for side, cells in sides)
    if not (cut or filled):
        raise ValueError(
            f"map: got a {plane[0]}x{plane[1]} grid for a {picture[0]}x{picture[1]} photo; allowed is a grid of the "
            "photo's proportions; pass the picture that the network saw, deprocess(images)[0]."
        )


def _refuse_titles(items: Sequence[Any], titles: Sequence[str] | None) -> None:
    if not items:
        raise ValueError("pictures: got none; allowed is a list of at least one; pass photos or maps.")
    if titles is not None and len(titles) != len(items):
        raise ValueError(
            f"titles: got {len(titles)} for {len(items)} pictures; allowed is one for each; pass {len(items)} titles."
        )

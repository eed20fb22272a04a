"""The pictures that stand in for a data set: tiles and mosaics of the packaged photos, or cluttered digits."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

import cnnviz

TILES = (2, 3)
"""Rows and columns of the tiles of a photo."""


@dataclass(frozen=True)
class Collection:
    """Pictures that belong together."""

    images: Tensor
    """`[M C H W]`, what the network takes."""
    groups: tuple[str, ...]
    """Of each picture: its photo, or its digit."""
    classes: Tensor
    """int64 `[M]`: the class of each; -1 where nobody knows."""
    about: str
    """What these pictures are."""
    masks: Tensor | None = None
    """bool `[M H W]`: where the concept is, where that is known."""


def photo_collection(title: str, image: Tensor) -> Collection:
    """Every packaged photo, whole and in overlapping tiles; and the user's own picture whole."""
    names = cnnviz.photos()
    parts = {name: _whole_and_tiles(cnnviz.photo(name)) for name in names}
    groups = [name for name in names for _ in parts[name]]
    images = torch.cat(list(parts.values()))
    about = f"the {len(names)} packaged photos, each whole and in six tiles"
    if title not in names:
        images, groups = torch.cat([images, image]), [*groups, title]
        about += f", and {title}"
    about = f"{len(images)} pictures: {about}"
    classes = [cnnviz.class_index(cnnviz.PHOTO_CLASS[g]) if g in names else -1 for g in groups]
    return Collection(images, tuple(groups), torch.tensor(classes), about)


def _whole_and_tiles(photo: Tensor, size: int = 224) -> Tensor:
    """`[7 3 size size]`: the middle square, then tiles of twice the magnification, overlapping where they must."""
    scale = 2 * size / min(photo.shape[1:])
    shape = [max(2 * size, round(side * scale)) for side in photo.shape[1:]]
    large = F.interpolate(photo[None], size=shape, mode="bicubic", antialias=True, align_corners=False)[0].clamp(0, 1)
    rows, columns = (
        [round(i * (side - size) / (count - 1)) for i in range(count)] for side, count in zip(shape, TILES, strict=True)
    )
    tiles = [large[:, i : i + size, j : j + size] for i in rows for j in columns]
    return torch.cat([cnnviz.preprocess(photo, size), torch.stack(tiles) * 2 - 1])


def photo_concept(title: str, image: Tensor, *, count: int = 24) -> Collection:
    """Mosaics of four photos; the mask is the quarter that shows the photo in question."""
    names = cnnviz.photos()
    tile = (cnnviz.preprocess(cnnviz.photo(title), 112) if title in names else F.avg_pool2d(image, 2))[0]
    others = [cnnviz.preprocess(cnnviz.photo(name), 112)[0] for name in names if name != title]
    generator = torch.Generator().manual_seed(0)
    images, masks = [], torch.zeros(count, 224, 224, dtype=torch.bool)
    for m in range(count):
        chosen = [others[i] for i in torch.randperm(len(others), generator=generator)[:3].tolist()]
        place = m % 4
        chosen.insert(place, tile)
        images.append(torch.cat([torch.cat(chosen[:2], 2), torch.cat(chosen[2:], 2)], 1))
        top, left = 112 * (place // 2), 112 * (place % 2)
        masks[m, top : top + 112, left : left + 112] = True
    about = f"{count} mosaics of four photos; the truth is the quarter with {title}"
    return Collection(torch.stack(images), (title,) * count, torch.full((count,), -1), about, masks)


def digit_collection(n: int = 300) -> Collection:
    """Canvases with one digit each, which the network was not trained on."""
    canvases = cnnviz.cluttered_digits(n, seed=2, split="test")
    groups = tuple(str(label) for label in canvases.labels.tolist())
    return Collection(canvases.images, groups, canvases.labels, f"{n} cluttered test digits")


def digit_concept(digit: int, n: int = 200) -> Collection:
    """Canvases with one digit each; the mask is the box of the digit in question, empty for all others."""
    canvases = cnnviz.cluttered_digits(n, seed=3, split="test")
    masks = torch.zeros(n, 64, 64, dtype=torch.bool)
    for mask, label, (top, left, bottom, right) in zip(
        masks, canvases.labels.tolist(), canvases.boxes.tolist(), strict=True
    ):
        mask[top:bottom, left:right] = label == digit
    groups = tuple(str(label) for label in canvases.labels.tolist())
    return Collection(
        canvases.images, groups, canvases.labels, f"{n} cluttered test digits; the truth is the {digit}'s box", masks
    )

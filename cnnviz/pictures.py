"""Photos to explain: packaged ones that need no network, the user's own, and mosaics with known truth.

The module is not called `photos`: the name `cnnviz.photos` is the function.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SMALLEST = 32
"""Photos with fewer pixels along a side are refused: enlarged sevenfold they show a network nothing."""

_FILES = {
    "camera": ("skimage", "data/camera.png"),
    "chelsea": ("skimage", "data/chelsea.png"),
    "china": ("sklearn", "datasets/images/china.jpg"),
    "coffee": ("skimage", "data/coffee.png"),
    "flower": ("sklearn", "datasets/images/flower.jpg"),
    "grace_hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    "rocket": ("skimage", "data/rocket.jpg"),
}
PHOTO_CLASS = {
    "camera": "tripod",
    "chelsea": "Egyptian cat",
    "china": "palace",
    "coffee": "espresso",
    "flower": "daisy",
    "grace_hopper": "military uniform",
    "rocket": "missile",
}
"""Packaged photo -> the ImageNet class that `efficientnet_lite0` gives it, which is what a person would say too."""


@dataclass(frozen=True)
class Mosaic:
    """Four photos in a square, so that the place of each class is known."""

    image: Tensor
    """float32 `[3 2s 2s]` in [0, 1], `s` pixels a tile: top left, top right, bottom left, bottom right."""
    targets: Tensor
    """int64 `[4]`: the ImageNet class of each tile."""
    quadrants: Tensor
    """int64 `[4 4]`: each tile's (top, left, bottom, right) in pixels; bottom and right exclusive."""
    names: tuple[str, ...]
    """The four photos."""


def photos(folder: str | Path | None = None) -> list[str]:
    """What `photo` takes: names of the packaged photos, all with a free licence (LICENSES.md), or a folder's pictures.

    Args:
        folder: one with pictures of your own; None for the packaged ones.

    Raises:
        ValueError: `folder` is none, or holds no file with a picture's ending.

    >>> photos()[:3]
    ['camera', 'chelsea', 'china']
    """
    return sorted(_FILES) if folder is None else _pictures_in(Path(folder).expanduser())


def _pictures_in(folder: Path) -> list[str]:
    from PIL import Image

    endings = Image.registered_extensions()
    found = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in endings) if folder.is_dir() else []
    if not found:
        reason = "a folder without pictures" if folder.is_dir() else "no folder"
        raise ValueError(
            f"folder: got {str(folder)!r}, {reason}; allowed are folders with files such as PNG and JPEG; pass one."
        )
    return found


def photo(name_or_path: str | Path) -> Tensor:
    """A packaged photo by its name, or any picture file by its path: float32 `[3 H W]` in [0, 1].

    A grey picture becomes three equal channels, transparency is laid on white, and a phone's rotation tag is obeyed.

    Raises:
        ValueError: no such name or file, not a picture, or fewer than 32 pixels along a side.

    >>> photo("chelsea").shape
    torch.Size([3, 300, 451])
    """
    path = _packaged(str(name_or_path)) or Path(name_or_path).expanduser()
    pixels = torch.from_numpy(_read(path, name_or_path)).permute(2, 0, 1).contiguous()
    height, width = pixels.shape[1:]
    if min(height, width) < SMALLEST:
        raise ValueError(
            f"photo: got {str(name_or_path)!r} of {height}x{width} pixels; allowed are pictures from {SMALLEST} pixels "
            "a side; pass a larger one."
        )
    return pixels


def _packaged(name: str) -> Path | None:
    if name not in _FILES:
        return None
    package, inside = _FILES[name]
    # find_spec locates the package without importing it.
    return Path(find_spec(package).submodule_search_locations[0]) / inside  # type: ignore[union-attr, index]


def _read(path: Path, got: str | Path) -> np.ndarray:
    """The file's pixels float32 `[H W 3]` in [0, 1]."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as picture:
            return _rgb(ImageOps.exif_transpose(picture))
    except FileNotFoundError as error:
        raise ValueError(_unknown_photo(str(got))) from error
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = "a folder" if path.is_dir() else "not a picture that can be read"
        raise ValueError(
            f"photo: got {str(got)!r}, {reason}; allowed are picture files such as PNG and JPEG; pass the path of one."
        ) from error


def _rgb(picture) -> np.ndarray:
    from PIL import Image

    if picture.mode.startswith(("I", "F")):  # Pillow would clip 16-bit grey at 255
        grey = np.asarray(picture, np.float32)
        grey = grey / (65535 if picture.mode.startswith("I") and grey.max(initial=0) > 255 else max(grey.max(), 1))
        return np.repeat(grey.clip(0, 1)[..., None], 3, axis=2)
    if picture.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return np.asarray(picture.convert("RGB"), np.float32) / 255


def _unknown_photo(got: str) -> str:
    near = difflib.get_close_matches(got, photos(), n=1)
    guess = f"did you mean {near[0]!r}?" if near else "pass one of them."
    return f"photo: got {got!r}; allowed are {', '.join(photos())} and paths of picture files that exist; {guess}"


def preprocess(photo: Tensor, size: int = 224, *, model: str | None = None) -> Tensor:
    """Makes a network's input of a photo: shorter side resized to `size`, centre cut out, [0, 1] scaled to [-1, 1].

    Args:
        photo: `[3 H W]` in [0, 1].
        size: pixels along each side of the result.
        model: the name of a torchvision network whose trained weights want sizes and a scaling of their own; these are
            taken then, and `size` is not. None and "efficientnet_lite0" are the kit's.

    Returns:
        `[1 3 size size]`, a batch of one. `deprocess(images)[0]` is the picture that the network saw.

    Raises:
        ValueError: `photo` has another shape, `size` is below 1, or torchvision has no weights for `model`.

    >>> preprocess(photo("coffee")).shape
    torch.Size([1, 3, 224, 224])
    """
    _refuse_no_photo(photo)
    return _crop(photo, size)[None] * 2 - 1 if model in _KITS else _transforms(model)(photo)[None]


_KITS = (None, "efficientnet_lite0")
"""What stands for the kit's own scaling."""


def deprocess(images: Tensor, *, model: str | None = None) -> Tensor:
    """The inverse of `preprocess`'s scaling: [-1, 1] to [0, 1], values beyond cut off; the shape is kept.

    Args:
        images: what `preprocess` gave, or something like it.
        model: what `preprocess` was given.

    >>> deprocess(torch.tensor([-1.0, 0.0, 1.0, 3.0]))
    tensor([0.0000, 0.5000, 1.0000, 1.0000])
    """
    if model in _KITS:
        return ((images.detach() + 1) / 2).clamp(0, 1)
    mean, std = (images.new_tensor(each)[:, None, None] for each in (_transforms(model).mean, _transforms(model).std))
    return (images.detach() * std + mean).clamp(0, 1)


def _transforms(model: str) -> Any:
    """Resizing, cutting out and scaling that belong to a torchvision network's weights; nothing is downloaded."""
    from torchvision import models

    try:
        return models.get_model_weights(model).DEFAULT.transforms()
    except ValueError as error:
        raise ValueError(
            f"model: got {model!r}; allowed are networks of torchvision.models; pass one's name, or none for the kit's."
        ) from error


def _refuse_no_photo(photo: object) -> None:
    if not isinstance(photo, Tensor) or photo.dim() != 3 or len(photo) != 3:
        got = tuple(photo.shape) if isinstance(photo, Tensor) else type(photo).__name__
        raise ValueError(f"photo: got {got}; allowed is a tensor [3 H W]; pass what cnnviz.photo returns.")


def _crop(photo: Tensor, size: int) -> Tensor:
    if size < 1:
        raise ValueError(f"size: got {size}; allowed are whole numbers of pixels from 1; pass for example 224.")
    height, width = photo.shape[1:]
    scale = size / min(height, width)
    shape = [max(size, round(side * scale)) for side in (height, width)]
    resized = F.interpolate(photo[None], size=shape, mode="bicubic", antialias=True, align_corners=False)[0].clamp(0, 1)
    top, left = (shape[0] - size) // 2, (shape[1] - size) // 2
    return resized[:, top : top + size, left : left + size]


def mosaic(names: Sequence[str], size: int = 112) -> Mosaic:
    """Four packaged photos side by side, `size` pixels a tile, with the class and the place of each.

    Since the place of every class is known, the share of a class's positive map inside its own quadrant measures
    whether the map points at its class.

    Raises:
        ValueError: not four different packaged photos.

    >>> mosaic(["chelsea", "coffee", "camera", "rocket"]).quadrants[3].tolist()
    [112, 112, 224, 224]
    """
    if len(names) != 4 or len(set(names)) != 4 or not set(names) <= set(_FILES):
        raise ValueError(
            f"names: got {list(names)}; allowed are four different ones of {', '.join(photos())}; pass four of them."
        )
    tiles = [_crop(photo(name), size) for name in names]
    rows = [torch.cat(tiles[:2], dim=2), torch.cat(tiles[2:], dim=2)]
    corners = [(0, 0), (0, size), (size, 0), (size, size)]
    return Mosaic(
        image=torch.cat(rows, dim=1),
        targets=torch.tensor([class_index(PHOTO_CLASS[name]) for name in names]),
        quadrants=torch.tensor([(top, left, top + size, left + size) for top, left in corners]),
        names=tuple(names),
    )


def class_names() -> list[str]:
    """The 1000 ImageNet classes in the order of the scores.

    >>> class_names()[285]
    'Egyptian cat'
    """
    return list(_class_names())


@lru_cache
def _class_names() -> tuple[str, ...]:
    from torchvision.models import EfficientNet_B0_Weights

    return tuple(EfficientNet_B0_Weights.IMAGENET1K_V1.meta["categories"])


def top_classes(scores: Tensor, k: int = 3) -> str:
    """The k classes with the highest scores of one image, with their probabilities, as words.

    Args:
        scores: `[1 1000]` of an ImageNet network, before the softmax.
        k: how many.

    >>> scores = torch.zeros(1, 1000)
    >>> scores[0, [285, 967]] = torch.tensor([10.0, 9.0])
    >>> top_classes(scores, k=2)
    'Egyptian cat 70 %, espresso 26 %'
    """
    values, indices = scores.detach().softmax(1)[0].topk(k)
    pairs = zip(indices.tolist(), values.tolist(), strict=True)
    return ", ".join(f"{_class_names()[c]} {100 * p:.0f} %" for c, p in pairs)


def class_index(name: str) -> int:
    """The index of an ImageNet class by its name, or by a part of it that occurs in one name only; case is ignored.

    Raises:
        ValueError: no class has the name, or several have; the sentence lists some that come near.

    >>> class_index("Egyptian")
    285
    """
    lowered = str(name).strip().lower()
    known = [each.lower() for each in _class_names()]
    for hits in (
        [i for i, each in enumerate(known) if each == lowered],
        [i for i, e in enumerate(known) if lowered in e],
    ):
        if len(hits) == 1:
            return hits[0]
        if hits:
            break
    near = hits or [known.index(each) for each in difflib.get_close_matches(lowered, known, n=5, cutoff=0.5)]
    listed = ", ".join(f"{_class_names()[i]} ({i})" for i in near[:6]) or "none"
    matches = f"matches {len(hits)} classes" if hits else "matches no class"
    raise ValueError(
        f"name: got {str(name)!r}, which {matches}; allowed are the names in cnnviz.class_names(); near it: {listed}; "
        "pass a name, or the index itself as the target."
    )

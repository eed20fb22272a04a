"""Maximum patches: the parts of real images that excite one channel of a layer the most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnviz.shapes import Images
from cnnviz_ref._mechanism import Layer, check_images, check_whole, layer_name
from cnnviz_ref.activations import activations
from cnnviz_ref.receptive_field import ReceptiveField, receptive_field


@dataclass(frozen=True)
class MaxPatches:
    """The k patches, the strongest first."""

    pixels: Tensor
    """`[k C r_h r_w]`, what the winning unit sees; 0 beyond the border of the image."""
    scores: Tensor
    """`[k]`, the unit's activation."""
    boxes: Tensor
    """int64 `[k 5]`: (image, top, left, bottom, right); bottom and right exclusive. Not cut at the border: top or left
    may be negative, bottom or right beyond the image."""


def max_patches(
    model: nn.Module, images: Images, layer: Layer, channel: int, *, k: int = 9, chunk: int = 16
) -> MaxPatches:
    r"""Finds the images in which a channel is strongest, each cut to what its strongest unit sees.

    Formula:
        $y_n = \max_{ij} A^k_{ij}(I_n)$; the k images of largest $y_n$, the lower index first where equal, each cut to
        the receptive field of its $\arg\max_{ij}$, the first in reading order where equal. A field of twice the image
        or more holds all of it, whatever the unit, and its patch is the image.

    Args:
        model, images, layer: As in every method (`help(cnnviz_ref)`); the layer gives maps `[N K h w]`.
        channel: One of the layer's channels, from 0.
        k: Patches, at most one per image.
        chunk: Images that go through the model at once; it bounds the memory.

    Returns:
        `MaxPatches(pixels, scores, boxes)`, all patches of one size.

    Raises:
        ValueError: An argument does not fit the model or the images; the sentence says which and what is allowed.

    Paper: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", 2014.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.AvgPool2d((1, 2), stride=1), nn.Flatten())
    >>> images = torch.tensor([[[[1.0, 2.0, 5.0]]], [[[9.0, 3.0, 1.0]]]])
    >>> found = max_patches(net, images, "0", 0, k=1)
    >>> found.pixels, found.scores, found.boxes
    (tensor([[[[9., 3.]]]]), tensor([6.]), tensor([[1, 0, 0, 1, 2]]))
    """
    check_images(model, images)
    _check_numbers(k, chunk, len(images))
    layer = layer_name(model, layer)
    s, places = strongest_places(model, images, layer, channel, chunk=chunk)
    C, H, W = images.shape[1:]
    field = receptive_field(model, layer, size=(C, H, W))
    scores, order = s.sort(descending=True, stable=True)  # topk would not keep the order of equal scores
    boxes = [(n, *_of_use(field.box(*places[n].tolist()), field, (H, W))) for n in order[:k].tolist()]
    pixels = torch.stack([cut(images[n], box) for n, *box in boxes])
    return MaxPatches(pixels, scores[:k].clone(), torch.tensor(boxes, device=images.device))


def strongest_places(
    model: nn.Module, images: Images, layer: str, channel: int, *, chunk: int = 16
) -> tuple[Tensor, Tensor]:
    r"""$\max_{ij} A^k_{ij}$ of each image, `[N]`, and its (row, column), int64 `[N 2]`, the first in reading order."""
    scores, places = [], []
    for some in images.split(chunk):
        A = activations(model, some, layer)
        if not isinstance(channel, int) or not 0 <= channel < A.shape[1]:
            raise ValueError(
                f"channel: got {channel!r}, but layer {layer!r} has channels 0 to {A.shape[1] - 1}; choose there."
            )
        one = A[:, channel].flatten(1)
        at = one.argmax(dim=1)  # the first of equal ones
        scores.append(one.gather(1, at[:, None])[:, 0])
        places.append(torch.stack([at // A.shape[3], at % A.shape[3]], dim=1))
    return torch.cat(scores), torch.cat(places)


def _of_use(box: tuple[int, int, int, int], field: ReceptiveField, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The box; along an axis where the field is twice the image or more, all of the image and nothing around it."""
    top, left, bottom, right = box
    H, W = size
    if field.rows.size >= 2 * H:
        top, bottom = 0, H
    if field.columns.size >= 2 * W:
        left, right = 0, W
    return top, left, bottom, right


def cut(image: Tensor, box: Sequence[int]) -> Tensor:
    """The box (top, left, bottom, right) of an image `[C H W]`; 0 where it leaves the image.

    >>> cut(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]), (-1, 1, 1, 3))
    tensor([[[0., 0.],
             [2., 0.]]])
    """
    top, left, bottom, right = box
    H, W = image.shape[1:]
    patch = image.new_zeros(len(image), bottom - top, right - left)
    t, l, b, r = max(top, 0), max(left, 0), min(bottom, H), min(right, W)
    if t < b and l < r:
        patch[:, t - top : b - top, l - left : r - left] = image[:, t:b, l:r].detach()
    return patch


def _check_numbers(k: object, chunk: object, N: int) -> None:
    if not isinstance(k, int) or not 1 <= k <= N:
        raise ValueError(f"k: got {k!r}, but there are {N} images, one patch each; choose from 1 to {N}.")
    check_whole("chunk", chunk, "try 16")

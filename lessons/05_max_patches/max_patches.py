# made by `cnnviz build` from solutions/05_max_patches/max_patches.md; the functions and answers are yours to write
"""Maximum patches: write the functions, then run `pytest lessons/05_max_patches` or `cnnviz check 05_max_patches`."""

import torch
from torch import Tensor, nn

from cnnviz.shapes import Activations, Images

first_stride = None  # a number, at most 0.1 from the right one


def receptive_field(chain: list[tuple[int, int, int, int]]) -> tuple[int, int, float]:
    """What the units see after a chain of layers: r ← r + (f − 1)·d·J, t ← t + ((f − 1)·d/2 − p)·J, J ← J·s.

    Args:
        chain: (kernel, stride, padding, dilation) of each layer, the first one nearest to the image; it may be empty.

    Returns:
        size r and jump J in whole pixels, and start t, the middle of what unit 0 sees (it may end in .5).

    About 7 lines.
    """
    # Your code here: about 7 lines.
    raise NotImplementedError("max_patches.receptive_field is not written yet")


def unit_box(i: int, j: int, size: int, jump: int, start: float) -> tuple[int, int, int, int]:
    """The box of pixels that a unit sees: top = t + i·J − (r − 1)/2, bottom = top + r, and in the same way from left to right.

    Args:
        i: row of the unit on the layer's grid.
        j: column of the unit.
        size: r, pixels that a unit sees.
        jump: J, pixels from one unit's box to the next one's.
        start: t, the middle of what unit 0 sees.

    Returns:
        top, left, bottom, right, as whole numbers (int); bottom and right are exclusive. Not cut at the border.

    About 3 lines.
    """
    # Your code here: about 3 lines.
    raise NotImplementedError("max_patches.unit_box is not written yet")


def top_images(activations: Activations, channel: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The images in which a channel is strongest, and where: y_n = max over i, j of A^k_ij, the largest first.

    Args:
        activations: A [N K h w]; a channel may be below zero everywhere.
        channel: k, counted from 0.
        count: B, how many images are wanted, at most N.

    Returns:
        scores [B], images int64 [B] (their indices n; ties by the lowest), places int64 [B 2] (row i, column j of
        each maximum; where several positions share it, the first in reading order).

    About 6 lines.
    """
    # Your code here: about 6 lines.
    raise NotImplementedError("max_patches.top_images is not written yet")


def cut_patches(images: Images, boxes: Tensor) -> Tensor:
    """The pixels of each box: E_m(l, u, v) = I_n(l, top + u, left + v), and 0 beyond the border.

    Args:
        images: [N C H W].
        boxes: int64 [B 5], (image, top, left, bottom, right), all of one height and one width; they may be larger than
            the image.

    Returns:
        Patches [B C height width].

    About 7 lines.
    """
    # Your code here: about 7 lines.
    raise NotImplementedError("max_patches.cut_patches is not written yet")


def max_patches(
    model: nn.Module, images: Images, layer: str, channel: int, chain: list[tuple[int, int, int, int]], count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The pieces of images that excite a channel most: the B images of largest max A^k, cut to what the unit sees.

    Args:
        model: runs on images; it is in eval mode.
        images: [N C H W].
        layer: full name of the layer, as in model.get_submodule(layer); it can be a part of other names.
        channel: k, counted from 0.
        chain: (kernel, stride, padding, dilation) of every layer from the image up to `layer`.
        count: B, how many patches are wanted.

    Returns:
        pixels [B C r r], scores [B] and boxes int64 [B 5], the strongest first. No hook stays
        behind, not even if the forward pass fails.

    About 12 lines.
    """
    # Your code here: about 12 lines.
    raise NotImplementedError("max_patches.max_patches is not written yet")


whose_border = None  # "border_repeated", "darkest_beyond", "mean_beyond" or "pushed_inside"

whose_patch = None  # "first_image", "mirrored", "stretched" or "wrapped_round"

in_the_corner = None  # "cut", "half", "pushed" or "quarter"

bias_raised = None  # "others", "same_higher" or "same_scores"

paths_to_the_middle = None  # a number, at most 0.1 from the right one

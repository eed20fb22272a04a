"""Makes picture.png: patches that excite channels of two networks the most, small fields above, large ones below."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from cnnviz_ref import max_patches

SIZE, SIDE = 160, 480
PHOTO_ROWS = (("features.block3", 11), ("features.block3", 15), ("features.block5", 8))
DIGIT_ROWS = (("features.block3", 15), ("features.block3", 19), ("features", 67))


def tiles(photo: Tensor) -> Tensor:
    """Pieces of a photo side by side."""
    shape = [round(length * SIDE / min(photo.shape[1:])) for length in photo.shape[1:]]
    large = F.interpolate(photo[None], size=shape, mode="bicubic", antialias=True, align_corners=False)[0].clamp(0, 1)
    rows, columns = (range(0, length - SIZE + 1, SIZE) for length in shape)
    return torch.stack([large[:, top : top + SIZE, left : left + SIZE] for top in rows for left in columns])


def main() -> None:
    """Writes the picture beside this file."""
    network = cnnviz.efficientnet_lite0()
    images = torch.cat([tiles(cnnviz.photo(name)) for name in cnnviz.photos()]) * 2 - 1
    found = [max_patches(network, images, layer, channel, k=9) for layer, channel in PHOTO_ROWS]
    canvases = cnnviz.cluttered_digits(1000, seed=0, split="test").images
    digits = [max_patches(cnnviz.digit_net(), canvases, layer, channel, k=9) for layer, channel in DIGIT_ROWS]
    pixels = [cnnviz.deprocess(each.pixels) for each in found] + [each.pixels.expand(-1, 3, -1, -1) for each in digits]

    names = [f"{layer}, {channel}" for layer, channel in (*PHOTO_ROWS, *DIGIT_ROWS)]
    figure, axes = plt.subplots(len(pixels), 9, figsize=(8.6, 6), layout="constrained")
    for line, patches, name in zip(axes, pixels, names, strict=True):
        for ax, patch in zip(line, patches, strict=True):
            ax.imshow(patch.permute(1, 2, 0))
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(f"{name.removeprefix('features.')}\n{patches.shape[-1]} pixels", fontsize="small")
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


if __name__ == "__main__":
    main()

"""Makes picture.png: a photo and an 8, and what each pixel contributes to the score from a baseline."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from cnnviz_ref import deeplift


def blocks(contributions: Tensor, size: int = 8) -> Tensor:
    """Sums over colours and over blocks of size x size pixels: [N H/size W/size]."""
    return F.avg_pool2d(contributions.sum(dim=1), size) * size**2


def eight_and_three() -> tuple[Tensor, Tensor]:
    """An enlarged 8 in the middle of a canvas of strokes, and the 3 that two bites leave of it, [1 1 64 64] each."""
    strokes = cnnviz.cluttered_digits(1, seed=32, split="test")
    eight = strokes.images.clone()
    top, left, bottom, right = strokes.boxes[0].tolist()
    eight[0, 0, top:bottom, left:right] = 0
    scan = torch.tensor(load_digits().images[945] / 16, dtype=torch.float32)
    ink = F.interpolate(scan[None, None], size=(28, 28), mode="bilinear", align_corners=False)
    eight[:, :, 18:46, 18:46] = torch.maximum(eight[:, :, 18:46, 18:46], ink)
    three = eight.clone()
    three[:, :, 25:31, 18:30] = three[:, :, 35:40, 18:30] = 0
    return eight, three


def main() -> None:
    """Writes the picture beside this file."""
    photo = cnnviz.preprocess(cnnviz.photo("camera"))
    tripod = torch.tensor([cnnviz.class_index("tripod")])
    eight, three = eight_and_three()
    legs = deeplift(cnnviz.efficientnet_lite0(), photo, tripod)
    bites = deeplift(cnnviz.digit_net(), eight, torch.tensor([8]), baselines=three)

    figure, axes = plt.subplots(1, 6, figsize=(14, 2.9), layout="constrained")
    _picture(axes[0], cnnviz.deprocess(photo), "the photo")
    _picture(axes[1], cnnviz.deprocess(torch.zeros_like(photo)), "the baseline: grey")
    cnnviz.show_map(blocks(legs), title=f"for tripod, sum {legs.sum():.1f}", colorbar=False, ax=axes[2])
    _picture(axes[3], eight.expand(-1, 3, -1, -1), "an 8")
    _picture(axes[4], three.expand(-1, 3, -1, -1), "the baseline: a 3")
    cnnviz.show_map(bites[0], title=f"for 8, sum {bites.sum():.1f}", colorbar=False, ax=axes[5])
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


def _picture(ax: plt.Axes, picture: Tensor, title: str) -> None:
    ax.imshow(picture[0].permute(1, 2, 0), vmin=0, vmax=1)
    ax.set_title(title)
    ax.axis("off")


if __name__ == "__main__":
    main()

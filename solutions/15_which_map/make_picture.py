"""Makes picture.png: maps of one canvas from the trained network, and after its last three parts got random weights."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import cnnviz
from cnnviz_ref import cam, deeplift, grad_cam, guided_backprop, occlusion, saliency

CANVAS = 2


def randomised() -> nn.Module:
    """digit_net with random weights in its linear layer and its last two blocks."""
    model, generator = cnnviz.digit_net(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for part in ("classifier", "features.block5", "features.block4"):
            for parameter in model.get_submodule(part).parameters():
                parameter.copy_(parameter.std() * torch.randn(parameter.shape, generator=generator))
    return model


def maps_of(model: nn.Module, images: Tensor, targets: Tensor) -> dict[str, Tensor]:
    """Name -> map [h w]."""
    return {
        "guided backprop": guided_backprop(model, images, targets)[0, 0],
        "saliency": saliency(model, images, targets)[0],
        "CAM": cam(model, images, targets, "features")[0],
        "Grad-CAM": grad_cam(model, images, targets, "features")[0],
        "occlusion": occlusion(model, images, targets, window=8, stride=4)[0],
        "DeepLIFT": deeplift(model, images, targets)[0, 0],
    }


def draw(ax, one: Tensor, box: Tensor, title: str | None) -> None:
    """A map on the canvas's pixels, the true box, a cross on the highest pixel."""
    one = F.interpolate(one[None, None], size=(64, 64), mode="bilinear", align_corners=False)[0, 0]
    cnnviz.show_map(one, title=title, colorbar=False, ax=ax)
    top, left, bottom, right = box.tolist()
    corner, sides = (left - 0.5, top - 0.5), (right - left, bottom - top)
    ax.add_patch(plt.Rectangle(corner, *sides, fill=False, color="lime", linewidth=2))
    row, column = divmod(int(one.argmax()), 64)
    ax.plot(column, row, "X", color="white", markeredgecolor="black", markersize=10)


def main() -> None:
    """Writes the picture beside this file."""
    data = cnnviz.cluttered_digits(CANVAS + 1, seed=1, split="test")
    image, label, box = data.images[CANVAS:], data.labels[CANVAS:], data.boxes[CANVAS]
    figure, axes = plt.subplots(2, 7, figsize=(14, 4.3), layout="constrained")
    rows = (("trained", cnnviz.digit_net()), ("three parts random", randomised()))
    for row, (word, model) in zip(axes, rows, strict=True):
        draw(row[0], image[0, 0], box, f"{word}")
        row[0].lines[0].remove()
        for ax, (name, one) in zip(row[1:], maps_of(model, image, label).items(), strict=True):
            draw(ax, one, box, name)
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


if __name__ == "__main__":
    main()

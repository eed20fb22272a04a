"""Makes picture.png: the mosaic of four photos, one guided map, and the guided Grad-CAM map of each class."""

from pathlib import Path

import matplotlib.pyplot as plt
from torch import Tensor

import cnnviz
from cnnviz_ref import guided_backprop, guided_grad_cam


def drawing(maps: Tensor) -> Tensor:
    """Maps [N C H W] as dark lines on white [N H W], the strongest percent all black."""
    strength = maps.abs().sum(dim=1)
    black = strength.flatten(1).quantile(0.99, dim=1)[:, None, None]
    return 1 - (strength / black).clamp(max=1)


def main() -> None:
    """Writes the picture beside this file."""
    mosaic = cnnviz.mosaic(["chelsea", "coffee", "camera", "rocket"], size=224)
    images = cnnviz.preprocess(mosaic.image, size=448).expand(4, -1, -1, -1)
    network = cnnviz.efficientnet_lite0()
    fine = drawing(guided_backprop(network, images[:1], mosaic.targets[:1]))
    maps = drawing(guided_grad_cam(network, images, mosaic.targets, "features"))
    titles = ["the picture", "guided backprop", *(cnnviz.PHOTO_CLASS[name] for name in mosaic.names)]
    figure, axes = plt.subplots(1, 6, figsize=(14, 2.7), layout="constrained")
    axes[0].imshow(mosaic.image.permute(1, 2, 0))
    for ax, one in zip(axes[1:], [*fine, *maps], strict=True):
        ax.imshow(one, cmap="gray", vmin=0, vmax=1)
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title)
        ax.set(xticks=[], yticks=[])
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


if __name__ == "__main__":
    main()

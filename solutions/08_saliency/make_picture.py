"""Makes picture.png: three photos, each with the saliency map of its class."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import Tensor

import cnnviz
from cnnviz_ref.saliency import image_gradient, strongest_colour

NAMES = ("coffee", "china", "rocket")


def shown(one: Tensor) -> Tensor:
    """The map with one colour for its highest 1 %, so that a few extreme pixels do not darken the rest."""
    return one.clamp(max=float(one.quantile(0.99)))


def main() -> None:
    """Writes the picture beside this file."""
    images = torch.cat([cnnviz.preprocess(cnnviz.photo(name)) for name in NAMES])
    targets = torch.tensor([cnnviz.class_index(cnnviz.PHOTO_CLASS[name]) for name in NAMES])
    maps = strongest_colour(image_gradient(cnnviz.efficientnet_lite0(), images, targets))
    figure, axes = plt.subplots(1, 6, figsize=(13, 2.6), layout="constrained")
    for name, image, one, left, right in zip(NAMES, images, maps, axes[::2], axes[1::2], strict=True):
        left.imshow(cnnviz.deprocess(image).permute(1, 2, 0))
        left.set_title(cnnviz.PHOTO_CLASS[name])
        left.axis("off")
        cnnviz.show_map(shown(one), title="its saliency map", colorbar=False, ax=right)
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


if __name__ == "__main__":
    main()

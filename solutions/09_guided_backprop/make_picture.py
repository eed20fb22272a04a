"""Makes picture.png: four photos, the gradient of each photo's class, and its guided map."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import Tensor

import cnnviz
from cnnviz_ref import guided_backprop
from cnnviz_ref.saliency import image_gradient

PHOTOS = ("camera", "coffee", "chelsea", "grace_hopper")


def drawing(maps: Tensor) -> Tensor:
    """Maps [N C H W] as dark lines on white, the strongest percent all black."""
    strength = maps.abs().sum(dim=1)
    return 1 - (strength / strength.flatten(1).quantile(0.99, dim=1)[:, None, None]).clamp(max=1)


def main() -> None:
    """Writes the picture beside this file."""
    model = cnnviz.efficientnet_lite0()
    images = torch.cat([cnnviz.preprocess(cnnviz.photo(name), size=448) for name in PHOTOS])
    targets = torch.tensor([cnnviz.class_index(cnnviz.PHOTO_CLASS[name]) for name in PHOTOS])
    rows = {
        "the picture": cnnviz.deprocess(images).permute(0, 2, 3, 1),
        "gradient": drawing(image_gradient(model, images, targets)),
        "guided": drawing(guided_backprop(model, images, targets)),
    }
    figure, axes = plt.subplots(3, 4, figsize=(8.4, 6.5), layout="constrained")
    for row, (name, pictures) in zip(axes, rows.items(), strict=True):
        for ax, picture in zip(row, pictures, strict=True):
            ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        row[0].set_ylabel(name, fontsize="large")
    for ax, name in zip(axes[0], PHOTOS, strict=True):
        ax.set_title(cnnviz.PHOTO_CLASS[name])
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=90)


if __name__ == "__main__":
    main()

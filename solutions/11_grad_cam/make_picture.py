"""Makes picture.png: the mosaic of four photos and the Grad-CAM map of each photo's class."""

from pathlib import Path

import matplotlib.pyplot as plt

import cnnviz
from cnnviz_ref import grad_cam


def main() -> None:
    """Writes the picture beside this file."""
    mosaic = cnnviz.mosaic(["chelsea", "coffee", "camera", "rocket"], size=224)
    images = cnnviz.preprocess(mosaic.image, size=448).expand(4, -1, -1, -1)
    maps = grad_cam(cnnviz.efficientnet_lite0(), images, mosaic.targets, "features")
    figure, axes = plt.subplots(1, 5, figsize=(12, 2.7), layout="constrained")
    axes[0].imshow(mosaic.image.permute(1, 2, 0))
    axes[0].set_title("the picture")
    axes[0].axis("off")
    for ax, name, one in zip(axes[1:], mosaic.names, maps, strict=True):
        cnnviz.overlay(mosaic.image, one, title=cnnviz.PHOTO_CLASS[name], colorbar=False, ax=ax)
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


if __name__ == "__main__":
    main()

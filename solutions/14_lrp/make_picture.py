"""Makes picture.png: the mosaic of four photos and the relevance of each photo's class."""

from pathlib import Path

import matplotlib.pyplot as plt

import cnnviz
from cnnviz_ref import lrp


def main() -> None:
    """Writes the picture beside this file."""
    mosaic = cnnviz.mosaic(["chelsea", "coffee", "camera", "rocket"], size=112)
    images = cnnviz.preprocess(mosaic.image, size=224).expand(4, -1, -1, -1)
    network = cnnviz.efficientnet_lite0()
    relevance = lrp(network, images, mosaic.targets, rule="composite", gamma=1.0, low=-1.0, high=1.0).sum(dim=1)
    most = relevance.abs().flatten(1).quantile(0.995, dim=1).view(-1, 1, 1)
    maps = relevance.clamp(-most, most)
    figure, axes = plt.subplots(1, 5, figsize=(12, 2.7), layout="constrained")
    axes[0].imshow(mosaic.image.permute(1, 2, 0))
    axes[0].set_title("the picture")
    axes[0].axis("off")
    for ax, name, one in zip(axes[1:], mosaic.names, maps, strict=True):
        cnnviz.show_map(one, title=cnnviz.PHOTO_CLASS[name], signed=True, colorbar=False, ax=ax)
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


if __name__ == "__main__":
    main()

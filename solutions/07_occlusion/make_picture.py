"""Makes picture.png: one photo with a window hidden at three places, its map, and the maps of a mosaic's four classes."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn

import cnnviz
from cnnviz_ref import occlusion

PLACES = ((140, 112), (28, 112), (16, 64))
"""Top left corners of the hidden windows."""


def main() -> None:
    """Writes the picture beside this file."""
    network = cnnviz.efficientnet_lite0().requires_grad_(False)
    figure, axes = plt.subplots(2, 5, figsize=(12.5, 5.3), layout="constrained")
    draw_hiding(network, axes[0])
    draw_mosaic(network, axes[1])
    for ax in axes.flat:
        ax.axis("off")
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


def draw_hiding(network: nn.Module, axes) -> None:
    """The photo, three times with a window hidden, and the map."""
    images, target = cnnviz.preprocess(cnnviz.photo("camera")), cnnviz.class_index("tripod")
    axes[0].imshow(cnnviz.deprocess(images)[0].permute(1, 2, 0))
    score = network(images)[0, target]
    axes[0].set_title(f"score of tripod: {score:.1f}")
    for ax, (top, left) in zip(axes[1:], PLACES, strict=False):
        covered = images.clone()
        covered[:, :, top : top + 56, left : left + 56] = 0.0
        ax.imshow(cnnviz.deprocess(covered)[0].permute(1, 2, 0))
        y = network(covered)[0, target]
        ax.set_title(f"{y:.1f}, a drop of {score - y:.1f}")
    heat = occlusion(network, images, torch.tensor([target]), window=48, stride=16)[0]
    cnnviz.overlay(
        cnnviz.deprocess(images), heat, title="all windows: the map", signed=True, colorbar=False, ax=axes[4]
    )


def draw_mosaic(network: nn.Module, axes) -> None:
    """The mosaic and the map of each photo's class."""
    mosaic = cnnviz.mosaic(["chelsea", "coffee", "camera", "rocket"], size=112)
    images = cnnviz.preprocess(mosaic.image, size=224).expand(4, -1, -1, -1)
    maps = occlusion(network, images, mosaic.targets, window=48, stride=16)
    axes[0].imshow(mosaic.image.permute(1, 2, 0))
    axes[0].set_title("a mosaic")
    for ax, name, one in zip(axes[1:], mosaic.names, maps, strict=True):
        title = cnnviz.PHOTO_CLASS[name]
        cnnviz.overlay(mosaic.image, one, title=title, signed=True, colorbar=False, ax=ax)


if __name__ == "__main__":
    main()

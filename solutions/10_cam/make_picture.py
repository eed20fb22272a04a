"""Makes picture.png: class activation maps of four photos, and of four digits with the true box and the map's box."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.patches import Rectangle
from skimage.measure import label, regionprops
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from cnnviz_ref import cam

PHOTOS = ("chelsea", "coffee", "camera", "rocket")
FRACTION = 0.5


def main() -> None:
    """Writes the picture beside this file."""
    figure, axes = plt.subplots(2, 4, figsize=(11, 5.6), layout="constrained")
    draw_photos(axes[0])
    draw_digits(axes[1])
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


def draw_photos(axes) -> None:
    """One photo and the map of its class in each Axes."""
    images = torch.cat([cnnviz.preprocess(cnnviz.photo(name)) for name in PHOTOS])
    classes = [cnnviz.PHOTO_CLASS[name] for name in PHOTOS]
    targets = torch.tensor([cnnviz.class_index(name) for name in classes])
    maps = cam(cnnviz.efficientnet_lite0(), images, targets, "features")
    for ax, picture, one, name in zip(axes, cnnviz.deprocess(images), maps, classes, strict=True):
        cnnviz.overlay(picture, one, title=name, colorbar=False, ax=ax)


def draw_digits(axes) -> None:
    """One canvas in each Axes: map, true box (dashed), box from the map."""
    canvases = cnnviz.cluttered_digits(len(axes), seed=1, split="test")
    maps = cam(cnnviz.digit_net(), canvases.images, canvases.labels, "features")
    rows = zip(axes, canvases.images, maps, canvases.labels, canvases.boxes, strict=True)
    for ax, image, one, digit, true in rows:
        cnnviz.overlay(1 - image, one, title=f"the {digit}", colorbar=False, ax=ax)
        outline(ax, box(one), "darkorange", "-")
        outline(ax, true.tolist(), "green", "--")


def box(heatmap: Tensor) -> tuple[int, ...]:
    """Box of the largest region above a fraction of the maximum."""
    large = F.interpolate(heatmap[None, None], size=(64, 64), mode="bilinear", align_corners=False)[0, 0]
    regions = regionprops(label((large > FRACTION * large.max()).numpy(), connectivity=1))
    return max(regions, key=lambda region: region.area).bbox


def outline(ax, corners, color: str, style: str) -> None:
    """Draws a box (top, left, bottom, right)."""
    top, left, bottom, right = corners
    ax.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False, ec=color, ls=style, lw=2))


if __name__ == "__main__":
    main()

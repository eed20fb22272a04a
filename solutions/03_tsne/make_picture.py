"""Makes picture.png: t-SNE of 500 handwritten digits, and of a network's features of squares cut out of photos."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from cnnviz_ref import tsne

SIDE = 1200


def main() -> None:
    """Writes the picture beside this file."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 6.3), layout="constrained")
    for ax, title, canvas in zip(
        axes, ("500 digits, 64 numbers each", "168 squares, 1280 features each"), (digits(), squares()), strict=True
    ):
        ax.imshow(canvas.permute(1, 2, 0))
        ax.set_title(title)
        ax.axis("off")
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


def digits() -> Tensor:
    """The first 500 digits, each class in its colour."""
    X, labels = load_digits(return_X_y=True)
    X = torch.tensor(X[:500]).float()
    ink = F.interpolate(X.view(-1, 1, 8, 8) / 16, size=(34, 34), mode="bilinear").clamp(0, 1)
    colours = torch.tensor(plt.get_cmap("tab10").colors).float()[labels[:500]]
    return collage(ink * colours[:, :, None, None], tsne(X, perplexity=30))


def squares() -> Tensor:
    """Twenty-four squares of each photo."""
    generator = torch.Generator().manual_seed(0)
    cuts = [
        cnnviz.preprocess(cut(cnnviz.photo(name), generator), size=96) for name in cnnviz.photos() for _ in range(24)
    ]
    network = cnnviz.efficientnet_lite0().requires_grad_(False)
    features = torch.cat([network.features(some).mean(dim=(2, 3)) for some in torch.cat(cuts).split(24)])
    pictures = F.interpolate(cnnviz.deprocess(torch.cat(cuts)), size=(80, 80), mode="bilinear", antialias=True)
    return collage(pictures, tsne(features, perplexity=10))


def cut(photo: Tensor, generator: torch.Generator) -> Tensor:
    """A square of a third of the photo's shorter side, at a random place."""
    side = min(photo.shape[1:]) // 3
    top, left = (int(torch.randint(0, size - side + 1, (1,), generator=generator)) for size in photo.shape[1:])
    return photo[:, top : top + side, left : left + side]


def collage(pictures: Tensor, Y: Tensor) -> Tensor:
    """Pictures [N 3 h w] pasted at the points Y on a dark canvas."""
    height, width = pictures.shape[2:]
    low, high = Y.amin(dim=0), Y.amax(dim=0)
    places = (0.5 + (Y - (low + high) / 2) / (high - low).max()) * (SIDE - height)
    canvas = torch.full((3, SIDE, SIDE), 0.08)
    for picture, (across, up) in zip(pictures, places.round().int().tolist(), strict=True):
        part = canvas[:, SIDE - height - up : SIDE - up, across : across + width]
        part.copy_(torch.maximum(part, picture))
    return canvas


if __name__ == "__main__":
    main()

"""Makes picture.png: squares of photos, their nearest neighbours among plain pixels, and among a network's features."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from cnnviz_ref import embed, nearest_neighbors

QUERIES = [9, 26, 54, 73]
"""One square of the camera, of the cat, of the coffee, and of the flower."""
SHOWN = 4


def main() -> None:
    """Writes the picture beside this file."""
    squares = torch.cat([cut(cnnviz.photo(name)) for name in cnnviz.photos()])
    spaces = {
        "nearest by pixels": F.adaptive_avg_pool2d(squares, 16).flatten(1),
        "nearest by the network's features": embed(cnnviz.efficientnet_lite0(), squares, "features"),
    }
    pictures = cnnviz.deprocess(squares).permute(0, 2, 3, 1)
    widths = [1, 0.25, *[1] * SHOWN, 0.25, *[1] * SHOWN]
    figure, axes = plt.subplots(len(QUERIES), len(widths), figsize=(12, 5.4), width_ratios=widths)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.01, top=0.94, wspace=0.06, hspace=0.06)
    for ax in axes.flat:
        ax.axis("off")
    axes[0, 0].set_title("query")
    for line, query in zip(axes, QUERIES, strict=True):
        line[0].imshow(pictures[query])
    for first, (name, x) in zip((2, SHOWN + 3), spaces.items(), strict=True):
        axes[0, first].set_title(name, loc="left")
        own = torch.tensor(QUERIES)
        _, found = nearest_neighbors(x, x[own], k=SHOWN, metric="cosine", leave_out=own)
        for line, row in zip(axes, found.tolist(), strict=True):
            for ax, n in zip(line[first:], row, strict=False):
                ax.imshow(pictures[n])
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


def cut(photo: Tensor) -> Tensor:
    """The sixteen squares of a photo's middle, 96 x 96 pixels each: [16 3 96 96]."""
    middle = cnnviz.preprocess(photo, size=384)[0]
    return middle.unfold(1, 96, 96).unfold(2, 96, 96).permute(1, 2, 0, 3, 4).flatten(0, 1)


if __name__ == "__main__":
    main()

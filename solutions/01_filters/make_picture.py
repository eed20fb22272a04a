"""Makes picture.png: the first filters of a trained network, and of one with random weights."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch

import cnnviz
from cnnviz_ref.filters import filters, scale_filters


def main() -> None:
    """Writes the picture beside this file."""
    trained = filters(cnnviz.efficientnet_lite0(), "features.stem.conv")
    noise = torch.randn(trained.shape, generator=torch.Generator().manual_seed(0))
    figure, axes = plt.subplots(2, 16, figsize=(12, 1.9), layout="constrained")
    for row, bank, name in zip(axes, (trained, noise), ("trained", "noise"), strict=True):
        for ax, one in zip(row, scale_filters(bank), strict=False):
            ax.imshow(one.permute(1, 2, 0))
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(name)
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


if __name__ == "__main__":
    main()

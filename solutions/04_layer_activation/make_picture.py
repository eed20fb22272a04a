"""Makes picture.png: mosaics of photos, lit only where the channel that fits the cup of coffee best answers strongly."""

from pathlib import Path

import torch
from torch.nn import functional as F

import cnnviz
from cnnviz_ref import activations
from cnnviz_ref.activation_masks import channel_thresholds, dataset_iou, upsampled_masks

PHOTOS = sorted(cnnviz.PHOTO_CLASS)


def tile(name: str, generator: torch.Generator) -> torch.Tensor:
    """A random crop of a photo, [3 128 128]."""
    photo = cnnviz.photo(name)
    side = int(min(photo.shape[1:]) * (0.7 + 0.3 * torch.rand((), generator=generator)))
    top, left = (int(torch.randint(0, s - side + 1, (), generator=generator)) for s in photo.shape[1:])
    crop = photo[None, :, top : top + side, left : left + side]
    return F.interpolate(crop, size=(128, 128), mode="bilinear", antialias=True)[0]


def mosaics(n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mosaics [n 3 256 256], and where the coffee is, bool [n 1 32 32]."""
    generator = torch.Generator().manual_seed(4)
    pictures, where = [], torch.zeros(n, 1, 32, 32, dtype=torch.bool)
    for i in range(n):
        names = [PHOTOS[p] for p in torch.randperm(len(PHOTOS), generator=generator)[:4]]
        tiles = [tile(name, generator) for name in names]
        pictures.append(torch.cat([torch.cat(tiles[:2], dim=2), torch.cat(tiles[2:], dim=2)], dim=1))
        for q, name in enumerate(names):
            where[i, 0, q // 2 * 16 : q // 2 * 16 + 16, q % 2 * 16 : q % 2 * 16 + 16] = name == "coffee"
    return torch.stack(pictures), where


def main() -> None:
    """Writes the picture beside this file."""
    pictures, where = mosaics(32)
    network = cnnviz.efficientnet_lite0()
    A = torch.cat([activations(network, some * 2 - 1, "features") for some in pictures.split(8)])
    T = channel_thresholds(A, 0.9)
    k = int(dataset_iou(upsampled_masks(A, T, (32, 32)), where)[:, 0].argmax())
    lit = upsampled_masks(A[:, k : k + 1], T[k : k + 1], (256, 256))
    shown = [n for n in range(len(where)) if where[n].any()][:6]
    figure = cnnviz.show_grid([pictures[n] * (0.2 + 0.8 * lit[n]) for n in shown], columns=6)
    figure.set_size_inches(12, 2.1)
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=100)


if __name__ == "__main__":
    main()

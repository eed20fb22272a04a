"""Makes picture.png: four classes by plain gradient ascent, and the same four with jitter and blur."""

from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import Tensor, nn
from torchvision.transforms.functional import gaussian_blur

import cnnviz
from cnnviz_ref import class_visualization
from cnnviz_ref.class_visualization import ascent_step, starting_image

NAMES = ("daisy", "goldfish", "pineapple", "jellyfish")


def smooth_visualization(network: nn.Module, target: int, *, steps: int = 100) -> Tensor:
    """[3 224 224] by the same steps on shifted images, blurred after every second one."""
    generator = torch.Generator().manual_seed(1)
    image = starting_image(network, 224, 0)
    for step in range(steps):
        down, right = torch.randint(-16, 17, (2,), generator=generator).tolist()
        shifted = ascent_step(network, image.roll((down, right), (1, 2)), target, lr=3.0, l2=0.001)
        image = shifted.roll((-down, -right), (1, 2))
        if step % 2 == 1:
            image = gaussian_blur(image[None], kernel_size=5, sigma=0.9)[0]
    return image


def main() -> None:
    """Writes the picture beside this file."""
    network = cnnviz.efficientnet_lite0().requires_grad_(False)
    targets = [cnnviz.class_index(name) for name in NAMES]
    plain = [class_visualization(network, c, size=224, steps=60, lr=0.25, l2=0.01, seed=0) for c in targets]
    smooth = [smooth_visualization(network, c) for c in targets]
    shown = [(image / (3 * image.std())).clamp(-1, 1) for image in (*plain, *smooth)]
    figure = cnnviz.show_grid(shown, titles=[*NAMES, *[f"{name}, smoothed" for name in NAMES]], columns=4)
    figure.savefig(Path(__file__).with_name("picture.png"), dpi=80)
    plt.close(figure)


if __name__ == "__main__":
    main()

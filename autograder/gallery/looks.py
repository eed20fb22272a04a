"""How a network and its methods are shown: which layers, and at which settings the pictures show what they should."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor, nn

from cnnviz_ref._last_layer import layers_by_grid


@dataclass(frozen=True)
class Look:
    """How one family of networks and its methods are shown: which layers, and at which settings."""

    layer: str
    """The last convolutional layer: CAM and Grad-CAM."""
    first: str
    """The first convolution, whose filters have the picture's colours."""
    layers: tuple[str, ...]
    """From early to late, for activations."""
    patches: str
    """A layer whose receptive field is a part of the picture."""
    finer: str
    """An earlier layer that a new head for CAM is put on."""
    window: int
    """Of occlusion, in pixels; the stride is a third of it."""
    ascent: tuple[int, float, float]
    """Class visualization: steps, step size, weight of the squared norm."""
    smooth_ascent: tuple[float, float]
    """With jitter and blur: step size, weight of the squared norm."""
    quantile: float
    """Of activation masks; lower than the paper's, since the data set is small."""
    every: int
    """Activation masks are compared with the truth at every so many pixels."""


def look_of(model: nn.Module, image: Tensor) -> Look:
    """Layers and settings for a network that nobody has chosen them for: the last layers on its grids."""
    layers = layers_by_grid(model, image)
    shown = [layers[round(n * (len(layers) - 1) / 3)] for n in range(4)]
    window = round(image.shape[2] * 3 / 14)
    first = next(name for name, module in model.named_modules() if isinstance(module, nn.Conv2d))
    return replace(
        LOOKS["efficientnet_lite0"], layer=layers[-1], first=first, layers=tuple(dict.fromkeys(shown)),
        patches=layers[-3:][0], finer=layers[-2:][0], window=window,
    )  # fmt: skip


LOOKS = {
    "efficientnet_lite0": Look(
        layer="features",
        first="features.stem.conv",
        layers=("features.stem", "features.block3.body.depthwise", "features.block9.body.depthwise", "features"),
        patches="features.block6.body.expand.conv",
        finer="features.block11",
        window=48,
        ascent=(60, 0.25, 0.01),
        smooth_ascent=(3.0, 0.001),
        quantile=0.9,
        every=4,
    ),
    "digit_net": Look(
        layer="features",
        first="features.block1.conv",
        layers=("features.block1", "features.block3", "features"),
        patches="features.block3",
        finer="features.block3",
        window=12,
        ascent=(100, 0.05, 0.05),
        smooth_ascent=(0.2, 0.05),
        quantile=0.98,
        every=1,
    ),
}

"""How each network's methods are shown: which layers, and at which settings the pictures show what they should."""

from __future__ import annotations

from dataclasses import dataclass


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

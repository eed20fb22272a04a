"""What a gallery looks at: a network, one picture, and one or two classes to explain in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

import cnnviz
from autograder.gallery.collection import Collection, digit_collection, digit_concept, photo_collection, photo_concept
from cnnviz_ref import embed

MOSAIC = ("chelsea", "coffee", "camera", "rocket")
"""The four photos of `--photo mosaic`; its first two classes are explained."""
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Target:
    """One class to explain."""

    index: int
    name: str
    probability: float
    """What the model gives it for this picture."""
    rank: int
    """Its place among all classes, from 1."""
    box: Box | None = None
    """Where it truly is, (top, left, bottom, right) in pixels, where that is known."""
    place: str = ""
    """What the box is, for sentences."""


@dataclass(frozen=True)
class Subject:
    """Everything that the recipes draw from."""

    model_name: str
    model: nn.Module
    title: str
    """The picture's name."""
    image: Tensor
    """`[1 C H W]`, what the network takes."""
    targets: tuple[Target, ...]
    """One, or two that share the picture."""
    own: Target
    """The model's own top class."""
    chosen: str
    """A sentence: who chose the targets."""

    @property
    def look(self) -> Look:
        """Layers and settings for this network."""
        return LOOKS[self.model_name]

    @property
    def photographic(self) -> bool:
        """Whether the picture is a colour photo, not a canvas of ink."""
        return self.image.shape[1] == 3

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        return self.image.shape[2], self.image.shape[3]

    @property
    def images(self) -> Tensor:
        """The picture once for each target: `[targets C H W]`."""
        return self.image.expand(len(self.targets), -1, -1, -1).contiguous()

    @property
    def classes(self) -> Tensor:
        """int64 `[targets]`."""
        return torch.tensor([target.index for target in self.targets])

    @property
    def picture(self) -> Tensor:
        """`[C H W]` in [0, 1], as it is drawn."""
        return self.drawable(self.image)[0]

    @cached_property
    def collection(self) -> Collection:
        """Other pictures, for the methods that need many."""
        return photo_collection(self.title, self.image) if self.photographic else digit_collection()

    @cached_property
    def itself(self) -> int | None:
        """Where in the collection the picture is."""
        same = (self.collection.images == self.image).flatten(1).all(1).nonzero().flatten().tolist()
        return same[0] if same else None

    @cached_property
    def features(self) -> Tensor:
        """`[M D]`: the last layer's averages for the collection."""
        return self.embedded(self.collection.images)

    def embedded(self, images: Tensor) -> Tensor:
        """`[M D]`: the last layer's averages."""
        return torch.cat([embed(self.model, part, self.look.layer) for part in images.split(16)])

    @cached_property
    def concept(self) -> Collection:
        """Pictures in which it is known where the first target is."""
        if not self.photographic:
            return digit_concept(self.targets[0].index)
        return photo_concept(self._concept_photo, self.image)

    @property
    def pale(self) -> Tensor:
        """The picture in pale grey, for maps in colours over it."""
        return 0.25 + 0.75 * self.picture.mean(0, keepdim=True)

    @property
    def concept_name(self) -> str:
        """What `concept` holds."""
        return self.targets[0].name if not self.photographic else self._concept_photo

    @property
    def _concept_photo(self) -> str:
        return MOSAIC[0] if self.title == "mosaic" else self.title

    def drawable(self, images: Tensor) -> Tensor:
        """`[N C H W]` in [0, 1] of what the network takes: photos as they were, ink dark on white paper."""
        return cnnviz.deprocess(images) if self.photographic else 1 - images

    def stretched(self, image: Tensor) -> Tensor:
        """`[C H W]` in [0, 1] of a picture that a method made, three deviations to full contrast."""
        scaled = (image - image.mean()) / (3 * image.std())
        return ((scaled if self.photographic else -scaled) + 1).clamp(0, 2) / 2


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

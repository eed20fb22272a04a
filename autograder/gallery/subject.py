"""What a gallery looks at: a network, one picture, and one or two classes to explain in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import cnnviz
from autograder.gallery.collection import Collection, digit_collection, digit_concept, photo_collection, photo_concept
from autograder.gallery.looks import LOOKS, Look, look_of
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
    scaling: tuple[Sequence[float], Sequence[float]] | None = None
    """Mean and standard deviation that a torchvision network wants its colours scaled by; None for [-1, 1]."""
    weights: str = ""
    """A sentence on the network's weights, where one is needed."""

    @cached_property
    def look(self) -> Look:
        """Layers and settings for this network."""
        return LOOKS[self.model_name] if self.model_name in LOOKS else look_of(self.model, self.image)

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
        return self._taken(photo_collection(self.title, self._plain)) if self.photographic else digit_collection()

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
        return self._taken(photo_concept(self._concept_photo, self._plain))

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
        return cnnviz.deprocess(images, model=self.model_name) if self.photographic else 1 - images

    @property
    def _plain(self) -> Tensor:
        """The photo as the collections have theirs: `[1 3 224 224]` in [-1, 1]."""
        return F.interpolate(2 * self.picture[None] - 1, size=(224, 224), mode="bilinear", antialias=True)

    def _taken(self, collection: Collection) -> Collection:
        """The same pictures and masks as this network takes them."""
        masks = collection.masks
        if masks is not None:
            masks = F.interpolate(masks[:, None].float(), size=self.size)[:, 0] > 0
        return replace(collection, images=taken(collection.images, self.size, self.scaling), masks=masks)

    def stretched(self, image: Tensor) -> Tensor:
        """`[C H W]` in [0, 1] of a picture that a method made, three deviations to full contrast."""
        scaled = (image - image.mean()) / (3 * image.std())
        return ((scaled if self.photographic else -scaled) + 1).clamp(0, 2) / 2


def taken(plain: Tensor, size: tuple[int, int], scaling: tuple[Sequence[float], Sequence[float]] | None) -> Tensor:
    """Photos `[N 3 H W]` in [-1, 1] in the size and scaling that a network takes."""
    if plain.shape[2:] != size:
        plain = F.interpolate(plain, size=size, mode="bilinear", antialias=True)
    if scaling is None:
        return plain
    mean, std = (plain.new_tensor(each)[:, None, None] for each in scaling)
    return ((plain + 1) / 2 - mean) / std

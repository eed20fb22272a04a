"""What a gallery looks at: a network, one picture, and one or two classes to explain in it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

import cnnviz
from autograder.gallery.collection import Collection, digit_collection, digit_concept, photo_collection, photo_concept
from cnnviz_ref import embed

MOSAIC = ("chelsea", "coffee", "camera", "rocket")
"""The four photos of `--photo mosaic`; its first two classes are explained."""
DIGITS = {"digit": (1, 5), "digits": (2, 7)}
"""Name of a canvas -> how many digits it holds and which canvas it is."""
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


def choose(photo: str | None, target: str | None, model_name: str) -> Subject:
    """The subject that the three options describe.

    Raises:
        ValueError: an unknown photo, class or model.
    """
    if model_name not in LOOKS:
        raise ValueError(
            f"--model: got {model_name!r}; allowed are {' and '.join(LOOKS)}, the two trained networks that are "
            "packaged; pass one of them."
        )
    if model_name == "digit_net":
        title, image, truth = _digits(photo or "digit")
    else:
        title, image, truth = _photo(photo or "chelsea")
    photographic = model_name != "digit_net"
    asked = None if target is None else _asked(target, photographic)
    return _subject(model_name, title, image, truth, asked)


Truth = dict[int, tuple[Box, str]]
"""Class -> where it is, and what to call that place."""


def _photo(name: str) -> tuple[str, Tensor, Truth]:
    if name == "mosaic":
        mosaic = cnnviz.mosaic(MOSAIC)
        boxes = [tuple(box) for box in mosaic.quadrants.tolist()]
        truth = {c: (box, "its own quarter") for c, box in zip(mosaic.targets.tolist(), boxes, strict=True)}
        return name, cnnviz.preprocess(mosaic.image), truth  # type: ignore[return-value]
    if name not in cnnviz.photos() and not Path(name).expanduser().exists():
        known = [*cnnviz.photos(), "mosaic"]
        near = difflib.get_close_matches(name, known, n=1)
        raise ValueError(
            f"--photo: got {name!r}; allowed are {', '.join(known)} and paths of picture files that exist; "
            + (f"did you mean {near[0]!r}?" if near else "pass one of them.")
        )
    title = name if name in cnnviz.photos() else Path(name).expanduser().name
    return title, cnnviz.preprocess(cnnviz.photo(name)), {}


def _digits(name: str) -> tuple[str, Tensor, Truth]:
    if name not in DIGITS:
        raise ValueError(
            f"--photo: got {name!r}; with --model digit_net allowed are {' and '.join(DIGITS)}, canvases with one and "
            "with two digits; pass one of them."
        )
    digits, which = DIGITS[name]
    canvases = cnnviz.cluttered_digits(which + 1, seed=1, split="test", digits=digits)
    labels, boxes = canvases.labels[which].reshape(-1).tolist(), canvases.boxes[which].reshape(-1, 4).tolist()
    truth = {c: (tuple(box), "its true box") for c, box in zip(labels, boxes, strict=True)}
    return name, canvases.images[which : which + 1], truth  # type: ignore[return-value]


def _asked(target: str, photographic: bool) -> int:
    """The class that the user means."""
    classes = 1000 if photographic else 10
    if target.strip().lstrip("-").isdigit():
        if not 0 <= int(target) < classes:
            raise ValueError(f"--target: got {target}; allowed are 0 to {classes - 1}; pass a class in that range.")
        return int(target)
    if not photographic:
        raise ValueError(f"--target: got {target!r}; allowed are the digits 0 to 9; pass one of them.")
    try:
        return cnnviz.class_index(target)
    except ValueError as error:
        raise ValueError(str(error).replace("name:", "--target:", 1)) from error


def _subject(model_name: str, title: str, image: Tensor, truth: Truth, asked: int | None) -> Subject:
    model = cnnviz.load_model(model_name)
    with torch.no_grad():
        p = model(image).softmax(1)[0]
    own = int(p.argmax())
    classes, chosen = _chosen(asked, own, list(truth))
    names = {c: _class_name(image.shape[1] == 3, c) for c in {*classes, own}}

    def described(c: int) -> Target:
        box, place = truth.get(c, (None, ""))
        return Target(c, names[c], float(p[c]), int((p > p[c]).sum()) + 1, box, place)

    return Subject(model_name, model, title, image, tuple(map(described, classes)), described(own), chosen)


def _chosen(asked: int | None, own: int, present: Sequence[int]) -> tuple[list[int], str]:
    if len(present) > 1:
        first = present[0] if asked is None else asked
        second = next(c for c in present if c != first)
        if asked is None:
            return [first, second], "You named no class, so two of those in the picture are explained."
        return [first, second], "The first is the class that you asked for; the second is in the picture too."
    if asked is None:
        return [own], "You named no class, so the model's own top class is explained: it need not be what is shown."
    return [asked], "This is the class that you asked for."


def _class_name(photographic: bool, index: int) -> str:
    return cnnviz.class_names()[index] if photographic else f"the {index}"

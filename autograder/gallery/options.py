"""From the command's options to a subject; each bad one is a sentence."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models

import cnnviz
from autograder.gallery.looks import LOOKS
from autograder.gallery.subject import MOSAIC, Box, Subject, Target, taken
from cnnviz_ref import METHODS, Method

DIGITS = {"digit": (1, 5), "digits": (2, 7)}
"""Name of a canvas -> how many digits it holds and which canvas it is."""


def choose(photo: str | None, target: str | None, model_name: str, *, random_weights: bool = False) -> Subject:
    """The subject that the options describe.

    Raises:
        ValueError: an unknown photo, class or model, or trained weights that cannot be downloaded.
    """
    model = _network(model_name, random_weights)
    if model_name == "digit_net":
        title, image, truth = _digits(photo or "digit")
    else:
        title, image, truth = _photo(photo or "chelsea")
    photographic = model_name != "digit_net"
    asked = None if target is None else _asked(target, photographic)
    network: dict[str, Any] = {"model_name": model_name, "model": model, "weights": RANDOM if random_weights else ""}
    if model_name not in LOOKS:
        preset = models.get_model_weights(model_name).DEFAULT.transforms()
        size, network["scaling"] = preset.crop_size[0], (preset.mean, preset.std)
        truth = {c: (tuple(p * size // image.shape[2] for p in box), place) for c, (box, place) in truth.items()}
        image = taken(image, (size, size), network["scaling"])
    return _subject(network, title, image, truth, asked)


RANDOM = "Nobody trained its weights, they are random: what is seen here is what the architecture alone does."


def _network(name: str, random_weights: bool) -> nn.Module:
    if random_weights and name in LOOKS:
        raise ValueError(f"--random-weights: {name} has its trained weights with it; leave the option out.")
    try:
        model = cnnviz.load_model(name, weights=None if random_weights or name in LOOKS else "default")
        return model.requires_grad_(False)
    except ValueError as error:
        raise ValueError(str(error).replace("name:", "--model:", 1)) from error
    except OSError as error:
        raise ValueError(
            f"--model: its trained weights could not be downloaded ({error}); run this once with a network "
            "connection, or look at the untrained one with --random-weights."
        ) from error


def chosen_methods(names: str | None) -> Sequence[Method]:
    """The methods that `--methods` names, all of them where it names none.

    Raises:
        ValueError: no method has the name.
    """
    if names is None:
        return METHODS
    known = {method.name: method for method in METHODS}
    asked = [name.strip() for name in names.split(",")]
    for name in asked:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            guess = f"did you mean {near[0]!r}?" if near else "pass some of them with commas between."
            raise ValueError(f"--methods: got {name!r}; allowed are {', '.join(known)}; {guess}")
    return [known[name] for name in asked]


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


def _subject(network: dict[str, Any], title: str, image: Tensor, truth: Truth, asked: int | None) -> Subject:
    with torch.no_grad():
        p = network["model"](image).softmax(1)[0]
    own = int(p.argmax())
    classes, chosen = _chosen(asked, own, list(truth))
    names = {c: _class_name(image.shape[1] == 3, c) for c in {*classes, own}}

    def described(c: int) -> Target:
        box, place = truth.get(c, (None, ""))
        return Target(c, names[c], float(p[c]), int((p > p[c]).sum()) + 1, box, place)

    targets = tuple(map(described, classes))
    return Subject(title=title, image=image, targets=targets, own=described(own), chosen=chosen, **network)


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

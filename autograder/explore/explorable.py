"""What the page draws: every method that explains one picture, its knobs, and its panels for one setting of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

import cnnviz_ref as ref
from autograder.gallery.drawing import Panel, alone, grey, inside, maps, over, photo, sheet
from autograder.gallery.recipes.classmaps import train_head
from autograder.gallery.recipes.layers import lit
from autograder.gallery.recipes.pixels import blurred
from autograder.gallery.subject import Subject
from cnnviz_ref.activation_masks import channel_thresholds, upsampled_masks
from cnnviz_ref.filters import scale_filters


@dataclass(frozen=True)
class Knob:
    """One argument that can be turned."""

    name: str
    """Of the argument."""
    values: Mapping[str, Any]
    """What the slider says -> the value."""
    start: str
    """What the slider says first."""


@dataclass(frozen=True)
class Explorable:
    """One method on the page."""

    draw: Callable[..., Sequence[Panel]]
    """Panels of `subject, layer`, and a value for every knob."""
    knobs: tuple[Knob, ...] = ()
    layer: str = ""
    """What an empty field for the layer stands for; empty where the method takes none."""


def _numbers(name: str, *values: float, start: float) -> Knob:
    return Knob(name, {f"{value:g}": value for value in values}, f"{start:g}")


def _words(name: str, *values: str) -> Knob:
    return Knob(name, {value: value for value in values}, values[0])


def _rank(count: int = 16) -> Knob:
    return _numbers("channel", *range(1, count + 1), start=1)


SHADES = {"grey": 0.5, "black": 0.0, "white": 1.0}
LAST, MIDDLE, FIRST = "the last convolutional layer", "the layer halfway", "the first convolution"


def shaded(subject: Subject, shade: str) -> Tensor:
    """`[1 C H W]`, as the network takes it: the picture blurred, or one shade everywhere."""
    if shade == "blurred":
        return blurred(subject.image)
    nothing = torch.zeros_like(subject.image)
    low, high = subject.drawable(nothing), subject.drawable(nothing + 1)
    return (SHADES[shade] - low) / (high - low)


def grids(subject: Subject) -> list[str]:
    """Names of the layers that give a grid for each channel, in the order in which they run."""
    found: dict[str, None] = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor) and output.ndim == 4 and min(output.shape[2:]) > 1:
                found[name] = None

        return hook

    hooks = [module.register_forward_hook(note(name)) for name, module in subject.model.named_modules() if name]
    with torch.no_grad():
        subject.model(subject.image)
    for hook in hooks:
        hook.remove()
    return list(found)


def companions(subject: Subject) -> tuple[Tensor, Tensor]:
    """Pictures with their classes for what needs several: whole photos with this one among them, or digits."""
    some = slice(None, None, 7 if subject.photographic else 5)  # each photo is there whole, then in six tiles
    images, classes = subject.collection.images[some], subject.collection.classes[some]
    return images, torch.where(classes < 0, subject.targets[0].index, classes)


def _title(subject: Subject) -> str:
    return subject.targets[0].name


def _over(subject: Subject, one: Tensor, *, signed: bool, said: str = "") -> list[Panel]:
    target = subject.targets[0]
    about = f"{said} {inside(subject, one, target)}".strip()
    return [over(subject, one, _title(subject), about, target=target, signed=signed)]


def _alone(subject: Subject, one: Tensor, *, signed: bool, said: str = "") -> list[Panel]:
    target = subject.targets[0]
    about = f"{said} {inside(subject, one, target)}".strip()
    return [alone(one, _title(subject), about, target=target, signed=signed)]


def _asked(subject: Subject) -> tuple[nn.Module, Tensor, Tensor]:
    return subject.model, subject.image, subject.classes[:1]


def draw_occlusion(subject: Subject, layer: str, window: float, fill: str) -> list[Panel]:
    """Drops over the picture; windows overlap by half."""
    wide = max(2, round(window * min(subject.size)))
    hidden = shaded(subject, fill)[0]
    (one,) = ref.occlusion(*_asked(subject), window=wide, stride=max(1, wide // 2), fill=hidden)
    return _over(subject, one, signed=True, said=f"Windows of {wide} by {wide} pixels.")


def draw_saliency(subject: Subject, layer: str, form: str) -> list[Panel]:
    """The gradient's size at every pixel."""
    return _alone(subject, ref.saliency(*_asked(subject), form=form)[0], signed=False)


def draw_guided_backprop(subject: Subject, layer: str, rule: str) -> list[Panel]:
    """A signed picture."""
    return [grey(ref.guided_backprop(*_asked(subject), rule=rule)[0], _title(subject), "")]


def draw_guided_grad_cam(subject: Subject, layer: str) -> list[Panel]:
    """A signed picture."""
    return [grey(ref.guided_grad_cam(*_asked(subject), layer or None)[0], _title(subject), "")]


def draw_cam(subject: Subject, layer: str) -> list[Panel]:
    """Both signs, over the picture."""
    return _over(subject, ref.cam(*_asked(subject), layer or None)[0], signed=True)


def draw_grad_cam(subject: Subject, layer: str) -> list[Panel]:
    """Over the picture."""
    return _over(subject, ref.grad_cam(*_asked(subject), layer or None)[0], signed=False)


def draw_convert_to_cam(subject: Subject, layer: str, steps: int) -> list[Panel]:
    """The map of a new head on a layer, taught in a moment."""
    network = ref.convert_to_cam(subject.model, layer or halfway(subject))
    images, classes = companions(subject)
    right = train_head(network, images, classes, steps=steps)
    (one,) = ref.cam(network, *_asked(subject)[1:], "features")
    said = f"The new head names {right} of its {len(images)} pictures rightly."
    return _over(subject, one, signed=True, said=said)


def draw_deeplift(subject: Subject, layer: str, baseline: str, rule: str) -> list[Panel]:
    """Contributions, summed over the colours."""
    (one,) = ref.deeplift(*_asked(subject), baselines=shaded(subject, baseline), rule=rule).sum(1)
    return _alone(subject, one, signed=True, said=f"Sums to {one.sum():.2f}.")


def draw_lrp(subject: Subject, layer: str, **options: Any) -> list[Panel]:
    """Relevance, summed over the colours."""
    (one,) = ref.lrp(*_asked(subject), **options).sum(1)
    return _alone(subject, one, signed=True, said=f"Sums to {one.sum():.3g}.")


def draw_class_visualization(subject: Subject, layer: str, **options: Any) -> list[Panel]:
    """What the class asks for."""
    target = subject.targets[0]
    image = ref.class_visualization(subject.model, target.index, size=subject.size, **options)
    with torch.no_grad():
        p = subject.model(image[None]).softmax(1)[0, target.index]
    return [photo(subject.stretched(image), target.name, f"The network gives it the class with probability {p:.3f}.")]


def draw_filters(subject: Subject, layer: str, scale: str) -> list[Panel]:
    """All filters in colours; of a deeper layer the strongest filter's slices."""
    layer = layer or next(name for name, each in subject.model.named_modules() if isinstance(each, nn.Conv2d))
    W = ref.filters(subject.model, layer)
    if W.shape[1] in (1, 3):
        shown = scale_filters(W) if scale == "each" else 0.5 + W / (2 * W.abs().max())
        return [sheet(list(shown[:64]), [""] * len(shown[:64]), f"Filters of {layer}", "", columns=8)]
    k = int(W.flatten(1).norm(dim=1).argmax())
    strongest = W[k].flatten(1).norm(dim=1).argsort(descending=True)[:8].tolist()
    titles = [f"channel {c}" for c in strongest]
    return [
        maps([W[k, c] for c in strongest], titles, f"Filter {k} of {layer}, the strongest", "Its strongest slices.")
    ]


def draw_activations(subject: Subject, layer: str, channel: int) -> list[Panel]:
    """Eight channels, the most varied first."""
    A = ref.activations(subject.model, subject.image, layer or None)[0]
    order = A.flatten(1).std(1).argsort(descending=True)[channel - 1 : channel + 7].tolist()
    K, h, w = A.shape
    return [maps([A[k] for k in order], [f"channel {k}" for k in order], _layer(layer), f"{K} channels, {h} by {w}.")]


def draw_activation_masks(subject: Subject, layer: str, quantile: float, channel: int) -> list[Panel]:
    """The picture, lit where one channel is above its quantile."""
    A = ref.activations(subject.model, subject.image, layer or None)
    k = int(A[0].flatten(1).std(1).argsort(descending=True)[min(channel, A.shape[1]) - 1])
    one = A[:, k : k + 1]
    mask = upsampled_masks(one, channel_thresholds(one, quantile), subject.size)[0, 0]
    return [photo(lit(subject.picture, mask), f"channel {k}", f"{mask.float().mean():.0%} of the picture is lit.")]


def draw_max_patches(subject: Subject, layer: str, channel: int) -> list[Panel]:
    """Where a channel is strongest in this picture and its companions."""
    layer = layer or halfway(subject)
    images, _ = companions(subject)
    here = ref.activations(subject.model, subject.image, layer)[0].amax((1, 2))
    k = int(here.argsort(descending=True)[min(channel, len(here)) - 1])
    found = ref.max_patches(subject.model, images, layer, k, k=8)
    titles = [f"{score:.1f}" for score in found.scores.tolist()]
    said = f"Patches of {found.pixels.shape[2]} by {found.pixels.shape[3]} pixels, with the channel's values."
    return [sheet(list(subject.drawable(found.pixels)), titles, f"channel {k} of {layer}", said)]


def halfway(subject: Subject) -> str:
    """The layer in the middle of those that give grids."""
    names = grids(subject)
    return names[len(names) // 2]


def _layer(layer: str) -> str:
    return layer or LAST


EXPLORABLE: dict[str, Explorable] = {
    "grad_cam": Explorable(draw_grad_cam, layer=LAST),
    "cam": Explorable(draw_cam, layer=LAST),
    "convert_to_cam": Explorable(draw_convert_to_cam, (_numbers("steps", 20, 50, 100, 200, start=100),), MIDDLE),
    "guided_grad_cam": Explorable(draw_guided_grad_cam, layer=LAST),
    "guided_backprop": Explorable(draw_guided_backprop, (_words("rule", "guided", "deconvnet"),)),
    "saliency": Explorable(draw_saliency, (_words("form", "abs_max", "squared"),)),
    "occlusion": Explorable(
        draw_occlusion,
        (
            Knob("window", {f"1/{n} of the side": 1 / n for n in (12, 8, 6, 4, 3, 2)}, "1/4 of the side"),
            _words("fill", "grey", "black", "white", "blurred"),
        ),
    ),
    "deeplift": Explorable(
        draw_deeplift,
        (_words("baseline", "grey", "black", "white", "blurred"), _words("rule", "rescale", "revealcancel")),
    ),
    "lrp": Explorable(
        draw_lrp,
        (
            _words("rule", "gamma", "epsilon", "composite", "alpha_beta", "z_plus", "w_square", "flat", "zero"),
            _numbers("gamma", 0, 0.05, 0.1, 0.25, 0.5, 1, 10, start=0.25),
            _numbers("epsilon", 1e-9, 0.01, 0.1, 0.25, 1, start=1e-9),
            _numbers("alpha", 1, 1.5, 2, 3, start=2),
        ),
    ),
    "class_visualization": Explorable(
        draw_class_visualization,
        (
            _numbers("steps", 5, 10, 20, 40, 80, start=20),
            _numbers("lr", 0.05, 0.25, 1, 3, start=0.25),
            _numbers("l2", 0, 0.001, 0.01, 0.05, 0.2, start=0.01),
            _numbers("jitter", 0, 4, 16, start=0),
            _numbers("blur", 0, 0.5, 1, start=0),
        ),
    ),
    "activations": Explorable(draw_activations, (_rank(),), LAST),
    "activation_masks": Explorable(
        draw_activation_masks, (_numbers("quantile", 0.5, 0.8, 0.9, 0.95, 0.98, 0.995, start=0.9), _rank()), LAST
    ),
    "max_patches": Explorable(draw_max_patches, (_rank(),), MIDDLE),
    "filters": Explorable(draw_filters, (_words("scale", "each", "all"),), FIRST),
}
"""Every method of `cnnviz_ref.METHODS` that says something of one picture; the others place many pictures."""

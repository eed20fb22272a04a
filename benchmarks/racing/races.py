"""Who runs against whom, on what, and how fast ours has to be. t-SNE runs in `benchmarks/tsne.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
import zennit.rules

import cnnviz_ref
from racing import peers
from racing.task import (
    Contestant,
    Task,
    backward_to_images,
    backward_to_layer,
    first_convolution,
    forward,
    forward_of,
    forward_to_layer,
    points,
    task,
    weights,
)

BOTH = ("efficientnet_lite0", "resnet18")
WITH_VGG = (*BOTH, "vgg11_bn")
STEPS = 5
WINDOW, STRIDE, WINDOWS = 32, 16, 13 * 13
NEAREST, QUANTILE = 5, 0.95
ZENNIT_EPSILON = 1e-12


@dataclass(frozen=True)
class Race:
    """One method: ours against each peer and against the passes that cannot be avoided."""

    ours: Contestant
    limit: Contestant | None = None
    """The unavoidable passes."""
    peers: Mapping[str, Contestant] = field(default_factory=dict)
    networks: tuple[str, ...] = BOTH
    at_most: float = 1.05
    """Target: ratio to the fastest peer that computes the same."""
    at_most_limit: float | None = None
    """Target: ratio to the limit."""
    tolerance: float = 1e-5
    """How far results in float64 may be apart, relative to the largest value, to be the same."""
    make: Callable[..., Task] = task
    sizes: tuple[int, ...] = (1, 16)
    """Numbers of images."""


def explain(name: str, *, layer: bool = False, **options: Any) -> Contestant:
    """Ours, for the methods on `model, images, targets` (and `layer`)."""
    function = getattr(cnnviz_ref, name)

    def contestant(t: Task) -> Callable[[], torch.Tensor]:
        arguments = (t.model, t.images, t.targets, *([t.layer] if layer else []))
        return lambda: function(*arguments, **options)

    return contestant


def at_layer(name: str) -> Contestant:
    """Ours, for the methods on `model, images, layer`."""
    function = getattr(cnnviz_ref, name)
    return lambda t: lambda: function(t.model, t.images, t.layer)


def ascent(t: Task) -> Callable[[], torch.Tensor]:
    """Class visualization with few steps."""
    size = tuple(t.images.shape[2:])
    return lambda: cnnviz_ref.class_visualization(t.model, int(t.targets[0]), size=size, steps=STEPS, lr=0.1)


def first_filters(t: Task) -> Callable[[], torch.Tensor]:
    """Ours."""
    name, _ = first_convolution(t)
    return lambda: cnnviz_ref.filters(t.model, name)


def neighbors(t: Task) -> Callable[[], torch.Tensor]:
    """Ours."""
    return lambda: cnnviz_ref.nearest_neighbors(t.targets, t.images, k=NEAREST)[0]


def masks(t: Task) -> Callable[[], torch.Tensor]:
    """Ours."""
    A = cnnviz_ref.activations(t.model, t.images, t.layer)
    return lambda: cnnviz_ref.activation_masks(A, QUANTILE)


def strongest(t: Task) -> Callable[[], Any]:
    """Ours."""
    return lambda: cnnviz_ref.max_patches(t.model, t.images, t.layer, 0, k=1)


def lrp_race(rule: str, zennit_rule: Any, **options: float) -> Race:
    """A rule of LRP for all layers."""
    return Race(
        explain("lrp", rule=rule, **options),
        backward_to_images,
        {"zennit": peers.zennit_lrp(zennit_rule)},
        networks=(*WITH_VGG, "digit_net"),
        at_most_limit=4.0,
    )


RACES: dict[str, Race] = {
    "filters": Race(first_filters, weights, sizes=(1,)),
    "embed": Race(at_layer("embed"), forward_to_layer, {"torchvision": peers.torchvision_embed}),
    "nearest_neighbors": Race(
        neighbors,
        None,
        {"scikit-learn": partial(peers.sklearn_neighbors, k=NEAREST)},
        networks=("digits", "5000 x 1280"),
        make=points,
    ),
    "activations": Race(
        at_layer("activations"),
        forward_to_layer,
        {"torchvision": peers.torchvision_features, "captum": peers.captum_activation},
    ),
    "activation_masks": Race(masks, None, {"numpy": partial(peers.numpy_masks, quantile=QUANTILE)}),
    "max_patches": Race(strongest, forward_to_layer),
    "class_visualization": Race(ascent, partial(backward_to_images, times=STEPS), sizes=(1,)),
    "occlusion": Race(
        explain("occlusion", window=WINDOW, stride=STRIDE),
        partial(forward_of, windows=WINDOWS, batches=(1, 4, 8, 16, 32)),
        {"captum": partial(peers.captum_occlusion, window=WINDOW, stride=STRIDE, at_once=(1, 2, 4, 8, 16, 32))},
        networks=("efficientnet_lite0", "resnet18"),
        at_most=0.75,
        tolerance=1e-4,  # captum's result is float32
    ),
    "saliency": Race(explain("saliency"), backward_to_images, {"captum": peers.captum_saliency}, WITH_VGG),
    "guided_backprop": Race(
        explain("guided_backprop"),
        backward_to_images,
        {"captum": peers.captum_input("GuidedBackprop"), "zennit": peers.zennit_guided},
        WITH_VGG,
    ),
    "guided_backprop, deconvnet": Race(
        explain("guided_backprop", rule="deconvnet"),
        backward_to_images,
        {"captum": peers.captum_input("Deconvolution"), "zennit": peers.zennit_deconvnet},
        WITH_VGG,
    ),
    "cam": Race(explain("cam", layer=True), forward, {"torchcam": peers.torchcam_cam}, at_most_limit=1.15),
    "grad_cam": Race(
        explain("grad_cam", layer=True),
        backward_to_layer,
        {
            "captum": peers.captum_grad_cam,
            "torchcam": peers.torchcam_grad_cam,
            "pytorch-grad-cam": peers.pytorch_grad_cam_raw,
        },
        WITH_VGG,
        at_most_limit=1.15,
    ),
    "guided_grad_cam": Race(
        explain("guided_grad_cam", layer=True),
        backward_to_images,
        {"captum": peers.captum_guided_grad_cam},
        WITH_VGG,
        at_most=0.8,
    ),
    "deeplift": Race(
        explain("deeplift"),
        backward_to_images,
        {"captum": peers.captum_input("DeepLift")},
        networks=(*WITH_VGG, "digit_net"),
        at_most_limit=4.0,
    ),
    "deeplift, revealcancel": Race(
        explain("deeplift", rule="revealcancel"), backward_to_images, networks=WITH_VGG, at_most_limit=4.0
    ),
    "lrp, epsilon": lrp_race("epsilon", zennit.rules.Epsilon(ZENNIT_EPSILON), epsilon=1e-12),
    "lrp, z_plus": lrp_race("z_plus", zennit.rules.ZPlus(stabilizer=ZENNIT_EPSILON)),
    "lrp, alpha_beta": lrp_race("alpha_beta", zennit.rules.AlphaBeta(2.0, 1.0, stabilizer=ZENNIT_EPSILON)),
    "lrp, composite": Race(explain("lrp", rule="composite"), backward_to_images, networks=WITH_VGG, at_most_limit=4.0),
}
"""Method, or method and option -> its race."""

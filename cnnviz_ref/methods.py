"""The table of all methods: the contract test, the gallery, the benchmarks and the docs read it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cnnviz_ref._mechanism import Layer, check_targets
from cnnviz_ref.activation_masks import activation_masks
from cnnviz_ref.activations import activations
from cnnviz_ref.cam import cam
from cnnviz_ref.class_visualization import class_visualization
from cnnviz_ref.convert_to_cam import convert_to_cam
from cnnviz_ref.deeplift import deeplift
from cnnviz_ref.embed import embed
from cnnviz_ref.filters import filters
from cnnviz_ref.grad_cam import grad_cam
from cnnviz_ref.guided_backprop import guided_backprop
from cnnviz_ref.guided_grad_cam import guided_grad_cam
from cnnviz_ref.lrp import lrp
from cnnviz_ref.max_patches import max_patches
from cnnviz_ref.nearest_neighbors import nearest_neighbors
from cnnviz_ref.occlusion import occlusion
from cnnviz_ref.saliency import saliency
from cnnviz_ref.tsne import tsne


@dataclass(frozen=True)
class Method:
    """One public method and how to call it on any network."""

    name: str
    """Public name in `cnnviz_ref`."""
    function: Callable[..., Any]
    """The function itself."""
    lesson: str
    """Folder of the lesson that teaches it."""
    shape: str
    """Axes of the result, in the letters of the notation ("N h w") or as numbers; other letters stand for any size."""
    call: Callable[[nn.Module, Tensor, Tensor | int, Layer], Tensor]
    """The method on `model, images, targets, layer`, with few steps: what the contract test calls."""
    needs_gap: bool = False
    """Whether the model must end in global average pooling of the layer and one linear layer."""
    per_sample: bool = True
    """Whether the first axis is that of the images, and sample n does not depend on the others."""
    runs: str = "scores"
    """How far it runs the model: up to the "scores", up to the "layer", or "nothing" of it."""
    dtype: torch.dtype | None = None
    """Of the result; None is that of the images."""
    rounding: float = 1e-4
    """How far float32 results for one image may differ between batches, relative to the largest value. Where a method
    reads gradients, a ReLU whose input lies within rounding of 0 may change sides with the batch: on mobilenet_v2, one
    gate of 747,648 moved a saliency map by 4e-3, and no gate by 2e-7. In float64 every method holds 1e-12."""


def _plainly(function: Callable[..., Tensor]) -> Callable[[nn.Module, Tensor, Tensor | int, Layer], Tensor]:
    """The function with those of the four arguments that it takes, and its defaults."""
    names = inspect.signature(function).parameters

    def call(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
        given = {"model": model, "images": images, "targets": targets, "layer": layer}
        return function(**{name: value for name, value in given.items() if name in names})

    return call


def _first_filters(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
    return filters(model, next(module for module in model.modules() if isinstance(module, nn.Conv2d)))


def _distances_to_noise(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
    queries = embed(model, images, layer)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(5, queries.shape[1], generator=generator, dtype=torch.float64, device="cpu")
    return nearest_neighbors(noise.to(queries), queries, k=3)[0]


def _eight_channels_as_points(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
    return tsne(activations(model, images, layer)[0, :8].flatten(1), perplexity=2, steps=20)


def _masks_of_the_strongest_tenth(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
    return activation_masks(activations(model, images, layer), 0.9)


def _kept_features(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
    return convert_to_cam(model, layer).eval().features(images.clone()).detach()


def _strongest_patch(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
    return max_patches(model, images, layer, 0, k=1).pixels


def _three_steps(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
    H, W = images.shape[-2:]
    return class_visualization(model, int(check_targets(model, images, targets)[0]), size=(H, W), steps=3, lr=0.1)


def _four_windows(model: nn.Module, images: Tensor, targets: Tensor | int, layer: Layer) -> Tensor:
    H, W = images.shape[-2:]
    return occlusion(model, images, targets, window=(H // 2, W // 2), stride=(H // 2, W // 2))


METHODS: tuple[Method, ...] = (
    Method("filters", filters, "01_filters", "k c kh kw", _first_filters, per_sample=False, runs="nothing"),
    Method("embed", embed, "02_nearest_neighbors", "N D", _plainly(embed)),
    Method("nearest_neighbors", nearest_neighbors, "02_nearest_neighbors", "N 3", _distances_to_noise),
    Method("tsne", tsne, "03_tsne", "n 2", _eight_channels_as_points, per_sample=False),
    Method("activations", activations, "04_layer_activation", "N K h w", _plainly(activations)),
    Method(
        "activation_masks",
        activation_masks,
        "04_layer_activation",
        "N K h w",
        _masks_of_the_strongest_tenth,
        per_sample=False,
        dtype=torch.bool,
    ),
    Method("max_patches", max_patches, "05_max_patches", "1 C r_h r_w", _strongest_patch, per_sample=False),
    Method(
        "class_visualization", class_visualization, "06_class_visualization", "C H W", _three_steps, per_sample=False
    ),
    Method("occlusion", occlusion, "07_occlusion", "N H W", _four_windows),
    Method("saliency", saliency, "08_saliency", "N H W", _plainly(saliency), rounding=1e-2),
    Method(
        "guided_backprop", guided_backprop, "09_guided_backprop", "N C H W", _plainly(guided_backprop), rounding=1e-2
    ),
    Method("cam", cam, "10_cam", "N h w", cam, needs_gap=True),
    Method("convert_to_cam", convert_to_cam, "10_cam", "N K h w", _kept_features, runs="layer"),
    Method("grad_cam", grad_cam, "11_grad_cam", "N h w", grad_cam),
    Method("guided_grad_cam", guided_grad_cam, "12_guided_grad_cam", "N C H W", guided_grad_cam, rounding=1e-2),
    Method("deeplift", deeplift, "13_deeplift", "N C H W", _plainly(deeplift)),
    Method("lrp", lrp, "14_lrp", "N C H W", _plainly(lrp), rounding=1e-2),
)

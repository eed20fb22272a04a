"""Every method on every classification network of torchvision: right, by a second implementation, or refused."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import torch
import torchvision
from torch import Tensor, nn

import cnnviz_ref
from cnnviz_ref import METHODS, Method
from tests.networks.second import SECOND, strongest_channel

NAMES = tuple(torchvision.models.list_models(module=torchvision.models))
SIZES = ((32, 64), (64, 96), (96, 128), (56, 56), (64, 64), (128, 128), (224, 224))
"""Heights and widths, of which the first that runs is taken."""
LAYERS = {
    "alexnet|vgg|densenet|mobilenet|efficientnet|convnext|squeezenet": "features",
    "resnet|resnext|wide": "layer4",
    "regnet": "trunk_output",
    "googlenet": "inception5b",
    "inception": "Mixed_7c",
    "mnasnet": "layers",
    "shufflenet": "conv5",
    "swin": "permute",
    "maxvit": "blocks.3",
    "vit": "conv_proj",
}
"""Beginning of a network's name -> its last layer that gives maps."""
MANY = 12_000_000
"""Weights from which on a network is surveyed in float32."""
SENTENCE = re.compile(r"(model|layer|images|size|features)\b.{20,}(; |: )[^;]+\.$", re.DOTALL)
"""Begins with the argument, ends with the next step."""


@dataclass(frozen=True)
class Finding:
    """One method on one network."""

    network: str
    """torchvision's name."""
    size: tuple[int, int]
    """Height and width of the image."""
    layer: str
    """Where the method reads maps."""
    method: str
    """Name of the method."""
    outcome: str
    """"right", "refused" or "wrong"."""
    said: str
    """How far from the second implementation, relative to its largest value; or the sentence."""


def layer_of(name: str) -> str:
    return next(layer for beginning, layer in LAYERS.items() if re.match(beginning, name))


def build(name: str) -> nn.Module:
    """Random weights and statistics from seed 0; in float64 unless there are many weights."""
    normal = lambda weight, mean=0.0, std=1.0, a=0, b=0: nn.init.normal_(weight, mean, std)  # noqa: E731
    quick = patch("torch.nn.init.trunc_normal_", normal)  # a tenth of the time
    with torch.random.fork_rng(), quick:
        torch.manual_seed(0)
        options = {"aux_logits": False, "init_weights": True} if name in ("googlenet", "inception_v3") else {}
        if name.startswith("vit"):
            options = {"image_size": 4 * int(name[-2:])}
        net = torchvision.models.get_model(name, weights=None, num_classes=10, **options).eval()
        for module in net.modules():
            if isinstance(module, nn.Linear) and not module.weight.any():  # the head of a ViT
                nn.init.normal_(module.weight, std=0.1)
            if isinstance(module, nn.BatchNorm2d):
                nn.init.uniform_(module.running_mean, -0.2, 0.2)
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                nn.init.uniform_(module.bias, -0.2, 0.2)
    many = sum(weight.numel() for weight in net.parameters()) > MANY
    return net.requires_grad_(False) if many else net.double().requires_grad_(False)


def image_for(net: nn.Module) -> Tensor:
    dtype = next(net.parameters()).dtype
    for H, W in SIZES:
        image = torch.randn(1, 3, H, W, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)
        try:
            with torch.no_grad():
                net(image)
        except (RuntimeError, ValueError, AssertionError):
            continue
        return image
    raise AssertionError("no size runs")


def telling_target(net: nn.Module, image: Tensor, layer: str) -> Tensor:
    """A class whose Grad-CAM map is not 0 everywhere, and not the class of the largest score, if there is one."""
    with torch.no_grad():
        order = net(image)[0].argsort(descending=True).roll(-1)
    maps = (SECOND["grad_cam"](net, image, target, layer) for target in order.split(1))
    return order.split(1)[next((i for i, found in enumerate(maps) if found.any()), 0)]


def survey(name: str, methods: tuple[Method, ...] = METHODS) -> Iterator[Finding]:
    """All methods on one network."""
    net = build(name)
    image, layer = image_for(net), layer_of(name)
    target = telling_target(net, image, layer)
    for method in methods:
        outcome, said = judge(method, net, image, target, layer)
        yield Finding(name, tuple(image.shape[2:]), layer, method.name, outcome, said)


def judge(method: Method, net: nn.Module, image: Tensor, target: Tensor, layer: str) -> tuple[str, str]:
    try:
        found = result(method, net, image, target, layer)
    except ValueError as error:
        return ("refused" if SENTENCE.match(str(error)) else "wrong"), str(error)
    except Exception as error:
        return "wrong", f"{type(error).__name__}: {error}"
    distance = FAR.get(method.name, relative)(found, net, image, target, layer, method)
    tolerance = 1e-3 if image.dtype == torch.float32 else 1e-7 if method.name == "deeplift" else 1e-8
    return ("right" if distance <= tolerance else "wrong"), f"{distance:.0e}"


def result(method: Method, net: nn.Module, image: Tensor, target: Tensor, layer: str) -> object:
    if method.name == "max_patches":
        channel = strongest_channel(SECOND["activations"](net, image, target, layer))
        return cnnviz_ref.max_patches(net, image, layer, channel, k=1)
    if method.name == "lrp":
        return cnnviz_ref.lrp(net, image, target, rule="zero")
    return method.call(net, image, target, layer)


def relative(found: Tensor, net: nn.Module, image: Tensor, target: Tensor, layer: str, method: Method) -> float:
    """The largest difference from the second implementation, relative to its largest value."""
    expected = SECOND[method.name](net, image, target, layer)
    if found.shape != expected.shape or not torch.isfinite(found).all():
        return math.inf
    if found.dtype == torch.bool:
        return (found != expected).double().mean().item()
    if not expected.any():  # a Grad-CAM map without a positive place
        return math.inf if found.any() else 0.0
    return ((found - expected).abs().max() / expected.abs().max()).item()


def relative_to_score(found: Tensor, *arguments: object) -> float:
    """Of occlusion, whose drops are differences of scores."""
    net, image, target, layer = arguments[:4]
    expected = SECOND["occlusion"](net, image, target, layer)
    return ((found - expected).abs().max() / net(image)[0, target].abs()).item() if found.any() else math.inf


def incompleteness(found: Tensor, *arguments: object) -> float:
    """Of DeepLIFT: the sum of contributions from the difference of the scores, relative to all that was summed."""
    y, y0 = SECOND["deeplift"](*arguments[:4])
    size = found.abs().sum() + y.abs() + y0.abs()
    return math.inf if not found.any() else ((found.sum() - (y - y0)).abs() / size).item()


def unseen(found: object, *arguments: object) -> float:
    """Of a patch: its score from the layer's maximum, and the share of the unit's derivative that lies outside."""
    net, image, target, layer = arguments[:4]
    _, top, left, bottom, right = found.boxes[0].tolist()
    A, dI = SECOND["activations"](net, image, target, layer), SECOND["max_patches"](net, image, target, layer)
    inside = dI[..., max(top, 0) : bottom, max(left, 0) : right]
    cut = image[0][:, max(top, 0) : bottom, max(left, 0) : right]
    pixels = found.pixels[0][:, max(-top, 0) :, max(-left, 0) :][:, : cut.shape[1], : cut.shape[2]]
    same = torch.equal(pixels, cut) and torch.equal(found.scores[0], A.max())
    return ((dI.abs().sum() - inside.abs().sum()) / dI.abs().sum()).item() if same else math.inf


def unlike_its_points(found: Tensor, *arguments: object) -> float:
    """Of t-SNE, which does not see the network: from the same call on activations that a plain hook has read."""
    A = SECOND["activations"](*arguments[:4])
    return (found - cnnviz_ref.tsne(A[0, :8].flatten(1), perplexity=2, steps=20)).abs().max().item()


FAR = {"occlusion": relative_to_score, "deeplift": incompleteness, "max_patches": unseen, "tsne": unlike_its_points}
"""Methods that are not held to a second implementation of their own -> what they are held to."""

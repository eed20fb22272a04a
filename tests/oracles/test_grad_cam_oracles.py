"""Public libraries agree with `grad_cam` where they can be trusted: raw maps, module layers, module ReLUs."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import cam, grad_cam

TARGETS = torch.tensor([3, 0, 4])
NETWORKS = {
    "gap": (lambda: GapNet(stride=2), "features"),
    "before_relu": (GapNet, "features.2"),
    "flatten": (FlattenNet, "features"),
    "batch_norm": (BatchNormNet, "features"),
    "functional": (FunctionalNet, "features"),
    "resnet18": (lambda: cnnviz.load_model("resnet18"), "layer4"),
    "resnet18_inside": (lambda: cnnviz.load_model("resnet18"), "layer3.0.bn2"),
}

# The residual sum overwrites this layer's output in place; of the three libraries captum alone copies it in time.
OVERWRITTEN = "resnet18_inside"

all_networks = pytest.mark.parametrize("network", NETWORKS)
networks = pytest.mark.parametrize("network", [name for name in NETWORKS if name != OVERWRITTEN])
float_types = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])


def example(network: str, dtype: torch.dtype) -> tuple[nn.Module, Tensor, str]:
    """A fresh model, since libraries leave hooks behind, and a batch with a different target for each image."""
    build, layer = NETWORKS[network]
    size = (64, 96) if network.startswith("resnet") else (12, 8)
    images = torch.randn(3, 3, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return deepcopy(build()).to(dtype), images.to(dtype), layer


def assert_agree(ours: Tensor, theirs: Tensor, dtype: torch.dtype) -> None:
    """To 1e-6 of the largest value; in float64 to rounding."""
    assert ours.shape == theirs.shape
    assert ours.abs().max() > 0
    tolerance = 1e-6 if dtype == torch.float32 else 1e-12
    assert (ours - theirs).abs().max() <= tolerance * ours.abs().max()


@all_networks
@float_types
def test_captum_agrees(network: str, dtype: torch.dtype) -> None:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    model, images, layer = example(network, dtype)
    ours = grad_cam(model, images, TARGETS, layer)
    library = attr.LayerGradCam(model, model.get_submodule(layer))
    theirs = library.attribute(images, target=TARGETS, relu_attributions=True)
    assert_agree(ours, theirs[:, 0].detach(), dtype)


@networks
@float_types
def test_torchcam_agrees(network: str, dtype: torch.dtype) -> None:
    methods = pytest.importorskip("torchcam.methods", reason="torchcam is not installed")
    model, images, layer = example(network, dtype)
    ours = grad_cam(model, images, TARGETS, layer)
    with methods.GradCAM(model, layer, enable_hooks=True) as library:
        scores = model(images)
        (theirs,) = library(TARGETS.tolist(), scores, normalized=False)
    assert_agree(ours, theirs.detach(), dtype)


@networks
@float_types
def test_pytorch_grad_cam_agrees(network: str, dtype: torch.dtype) -> None:
    library = pytest.importorskip("pytorch_grad_cam", reason="grad-cam is not installed")
    targets = [library.utils.model_targets.ClassifierOutputTarget(int(c)) for c in TARGETS]
    model, images, layer = example(network, dtype)
    ours = grad_cam(model, images, TARGETS, layer)
    module = model.get_submodule(layer)
    with library.GradCAM(model, [module]) as method:
        method(images, targets=targets)
        A, dA = (
            held[0].numpy()
            for held in (method.activations_and_grads.activations, method.activations_and_grads.gradients)
        )
        # Its own result is normalised and upsampled; this is the step before.
        theirs = torch.from_numpy(method.get_cam_image(images, module, targets, A, dA)).relu()
    assert_agree(ours, theirs, dtype)


def test_torchcam_agrees_on_cam() -> None:
    methods = pytest.importorskip("torchcam.methods", reason="torchcam is not installed")
    model, images, layer = example("gap", torch.float64)
    ours = cam(model, images, TARGETS, layer)
    with methods.CAM(model, layer, fc_layer="classifier", enable_hooks=True) as library:
        model(images)
        (theirs,) = library(TARGETS.tolist(), normalized=False)
    assert_agree(ours.relu(), theirs.detach().relu(), torch.float64)

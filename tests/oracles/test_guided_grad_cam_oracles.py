"""captum's GuidedGradCam: upsampled as ours on request; alike where every ReLU is a module that is used once."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz.small_nets import FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import guided_grad_cam

TARGETS = torch.tensor([3, 0])


def captums(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    method = attr.GuidedGradCam(model, model.get_submodule(layer))
    return method.attribute(images.clone().requires_grad_(), TARGETS, interpolate_mode="bilinear").detach()


def images() -> Tensor:
    return torch.randn(2, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU activations")
@pytest.mark.parametrize("layer", ["features", "features.0"])
@pytest.mark.parametrize("kind", [GapNet, FlattenNet])
def test_captum_agrees_on_modules_used_once(kind: type[nn.Module], layer: str) -> None:
    net = kind().double()
    theirs = captums(net, images(), layer)
    ours = guided_grad_cam(net, images(), TARGETS, layer)
    assert theirs.abs().max() > 0
    assert (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU activations")
def test_captum_misses_the_functional_relus_that_ours_sees() -> None:
    net = FunctionalNet().double()
    theirs = captums(net, images(), "features.conv4")
    ours = guided_grad_cam(net, images(), TARGETS, "features.conv4")
    assert (ours - theirs).abs().max() > 0.1 * ours.abs().max()

"""captum's DeepLift: the same without max-pooling; next to a ReLU its max-pools lose completeness, ours holds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz.small_nets import BatchNormNet, GapNet
from cnnviz_ref import deeplift

TARGETS = torch.tensor([3, 0, 4])


def inputs() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    images, baselines = torch.randn(2, 3, 3, 12, 8, generator=generator, dtype=torch.float64)
    return images, baselines


def captum_says(model: nn.Module, images: Tensor, baselines: Tensor) -> Tensor:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    library = attr.DeepLift(model)
    with pytest.warns(UserWarning, match="Setting forward, backward hooks"):
        return library.attribute(images.clone().requires_grad_(), baselines, target=TARGETS).detach()


@pytest.mark.parametrize("net", [GapNet, BatchNormNet])
def test_captum_agrees_without_max_pooling(net: type[nn.Module]) -> None:
    model, (images, baselines) = net().double(), inputs()
    ours, theirs = deeplift(model, images, TARGETS, baselines=baselines), captum_says(model, images, baselines)
    assert (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()


def test_captum_loses_completeness_next_to_max_pooling_where_ours_holds() -> None:
    small, (images, baselines) = GapNet().double(), inputs()
    pool = nn.MaxPool2d(3, stride=1)
    model = nn.Sequential(*small.features[:2], pool, *small.features[2:], small.pool, nn.Flatten(), small.classifier)
    expected = (model(images) - model(baselines))[range(3), TARGETS].detach()
    ours = deeplift(model, images, TARGETS, baselines=baselines).sum((1, 2, 3))
    assert (ours - expected).abs().max() <= 1e-12
    theirs = captum_says(model, images, baselines).sum((1, 2, 3))
    assert (theirs - expected).abs().max() > 0.01 * expected.abs().max()

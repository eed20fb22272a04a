"""captum's Saliency agrees: the plain gradient's absolute value, here with the maximum over the colours."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import nn

from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import saliency

TARGETS = torch.tensor([3, 0, 4])


@pytest.mark.parametrize(
    "net", [GapNet(), FlattenNet(), BatchNormNet(), FunctionalNet()], ids=lambda n: type(n).__name__
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_captum_agrees(net: nn.Module, dtype: torch.dtype) -> None:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    model = deepcopy(net).to(dtype)
    images = torch.randn(3, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(dtype)
    theirs = attr.Saliency(model).attribute(images.clone().requires_grad_(), target=TARGETS, abs=True)
    assert torch.equal(saliency(model, images, TARGETS), theirs.detach().amax(dim=1))

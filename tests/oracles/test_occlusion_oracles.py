"""captum's Occlusion agrees in float32; in float64 it rounds its result to float32 and ours does not."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import occlusion

TARGETS = torch.tensor([3, 0, 4])
NETS = [GapNet(), FlattenNet(), BatchNormNet(), FunctionalNet()]


def captum_map(model: nn.Module, images: Tensor, window: tuple[int, int], stride: tuple[int, int]) -> Tensor:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    found = attr.Occlusion(model).attribute(
        images, sliding_window_shapes=(3, *window), strides=(3, *stride), target=TARGETS, baselines=0.0
    )
    return found[:, 0]  # the same for every colour, since the window hides all of them


def example(net: nn.Module, dtype: torch.dtype) -> tuple[nn.Module, Tensor]:
    images = torch.randn(3, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return deepcopy(net).to(dtype), images.to(dtype)


@pytest.mark.parametrize("net", NETS, ids=lambda net: type(net).__name__)
@pytest.mark.parametrize(("window", "stride"), [((4, 4), (4, 4)), ((5, 3), (3, 2)), ((5, 3), (2, 3))])
def test_captum_agrees_in_float32(net: nn.Module, window: tuple[int, int], stride: tuple[int, int]) -> None:
    model, images = example(net, torch.float32)
    ours = occlusion(model, images, TARGETS, window=window, stride=stride)
    assert (ours - captum_map(model, images, window, stride)).abs().max() < 1e-5 * ours.abs().max()


def test_captum_rounds_float64_and_ours_does_not() -> None:
    model, images = example(NETS[0], torch.float64)
    theirs = captum_map(model, images, (4, 4), (4, 4))
    ours = occlusion(model, images, TARGETS, window=4, stride=4)
    assert (theirs.dtype, ours.dtype) == (torch.float32, torch.float64)
    assert (ours - theirs).abs().max() < 1e-6 * ours.abs().max()

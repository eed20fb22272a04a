"""zennit's Epsilon, ZPlus and AlphaBeta, on a network with biases and signed images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz.small_nets import FlattenNet
from cnnviz_ref import lrp

TARGETS = torch.tensor([3, 0])


def example() -> tuple[nn.Module, Tensor]:
    images = torch.randn(2, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return FlattenNet().double(), images


@pytest.mark.parametrize(
    ("rule", "name", "options"),
    [("epsilon", "Epsilon", {"epsilon": 1e-12}), ("z_plus", "ZPlus", {}), ("alpha_beta", "AlphaBeta", {"alpha": 2.0})],
)
def test_zennit_agrees(rule: str, name: str, options: dict[str, float]) -> None:
    rules = pytest.importorskip("zennit.rules", reason="zennit is not installed")
    composites = pytest.importorskip("zennit.composites")
    types = pytest.importorskip("zennit.types")
    arguments = {"alpha": 2.0, "beta": 1.0} if name == "AlphaBeta" else {}
    arguments["epsilon" if name == "Epsilon" else "stabilizer"] = 1e-12
    model, images = example()
    ours = lrp(model, images, TARGETS, rule=rule, **options)
    layers = [(types.Linear, getattr(rules, name)(**arguments)), (types.Activation, rules.Pass())]
    x = images.clone().requires_grad_()
    with composites.LayerMapComposite(layers).context(model) as watched:
        y = watched(x)
        start = torch.zeros_like(y).scatter(1, TARGETS[:, None], y.detach().gather(1, TARGETS[:, None]))
        (theirs,) = torch.autograd.grad(y, x, start)
    assert (ours - theirs).abs().max() <= 1e-6 * theirs.abs().max()


def captums(model: nn.Module, images: Tensor, rule: object) -> Tensor:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    linear = (nn.Conv2d, nn.Linear)
    for module in model.modules():
        if isinstance(module, linear):
            module.rule = rule
    return attr.LRP(model).attribute(images.clone().requires_grad_(), TARGETS).detach()


class Flattened(nn.Module):
    """`FlattenNet`'s layers with a reshape where captum has no rule for the module Flatten."""

    def __init__(self) -> None:
        super().__init__()
        self.net = FlattenNet().double()

    def forward(self, images: Tensor) -> Tensor:
        return self.net.classifier(self.net.pool(self.net.features(images)).reshape(len(images), -1))


def test_captum_agrees_on_epsilon() -> None:
    rules = pytest.importorskip("captum.attr._utils.lrp_rules", reason="captum is not installed")
    _, images = example()
    ours = lrp(Flattened(), images, TARGETS, rule="epsilon", epsilon=1e-12)
    theirs = captums(Flattened(), images, rules.EpsilonRule(epsilon=1e-12))
    assert (ours - theirs).abs().max() <= 1e-6 * ours.abs().max()


class OneConvolution(nn.Module):
    """y = a - b for a picture of the two pixels a, b."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, (1, 2), bias=False).double()
        self.conv.weight.data = torch.tensor([[[[1.0, -1.0]]]]).double()

    def forward(self, image: Tensor) -> Tensor:
        return self.conv(image).reshape(len(image), 1)


def test_captums_alpha1_beta0_is_wrong_for_signed_input_where_ours_holds() -> None:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    rules = pytest.importorskip("captum.attr._utils.lrp_rules")
    net, image = OneConvolution(), torch.tensor([[[[3.0, -1.0]]]]).double()
    # y = 3 (1) + (-1) (-1): both contributions are positive, so each keeps its own.
    assert lrp(net, image, torch.tensor([0]), rule="z_plus").flatten().tolist() == [3, 1]
    net.conv.rule = rules.Alpha1_Beta0_Rule()
    theirs = attr.LRP(net).attribute(image.clone().requires_grad_(), 0).flatten()
    assert theirs[1].item() == pytest.approx(0, abs=1e-6)

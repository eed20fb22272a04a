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

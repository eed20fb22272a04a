"""captum's guided backprop and deconvnet: the same where every ReLU is a module used once; elsewhere not the method."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import cnnviz
from cnnviz_ref import guided_backprop

TARGETS = torch.tensor([3, 0])


def example(name: str) -> tuple[nn.Module, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return cnnviz.load_model(name).double(), torch.randn(2, 3, 64, 48, generator=generator, dtype=torch.float64)


def captum_says(model: nn.Module, images: Tensor, method: str = "GuidedBackprop") -> Tensor:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    with pytest.warns(UserWarning, match="Setting backward hooks on ReLU activations"):
        return getattr(attr, method)(model).attribute(images.clone().requires_grad_(), target=TARGETS)


def gradient(model: nn.Module, images: Tensor) -> Tensor:
    x = images.clone().requires_grad_()
    return torch.autograd.grad(model(x)[range(len(x)), TARGETS].sum(), x)[0]


@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn", "squeezenet1_0"])
@pytest.mark.parametrize(("rule", "method"), [("guided", "GuidedBackprop"), ("deconvnet", "Deconvolution")])
def test_captum_agrees_bit_for_bit(name: str, rule: str, method: str) -> None:
    model, images = example(name)
    ours = guided_backprop(model, images, TARGETS, rule=rule)
    assert torch.equal(ours, captum_says(model, images, method).detach())


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v2"])
def test_captum_silently_returns_the_plain_gradient_where_ours_holds(name: str) -> None:
    model, images = example(name)
    plain = gradient(model, images)
    assert (captum_says(model, images).detach() - plain).abs().max() <= 1e-9 * plain.abs().max()
    ours = guided_backprop(model, images, TARGETS)
    assert torch.nn.functional.cosine_similarity(ours.flatten(1), plain.flatten(1)).abs().max() < 0.5


def test_barely_depends_on_the_class() -> None:
    """Adebayo et al. 2018: on an untrained network two classes give nearly the same map; the gradient does not."""
    model, images = example("resnet18")
    first, second = (guided_backprop(model, images[:1], torch.tensor([c])).flatten() for c in (3, 700))
    assert torch.nn.functional.cosine_similarity(first, second, dim=0) > 0.9

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import deeplift, lrp

RULES = ("zero", "epsilon", "gamma", "alpha_beta", "z_plus", "w_square", "flat", "composite")
NETWORKS = (
    "resnet18",
    "squeezenet1_0",
    "mobilenet_v2",
    "googlenet",
    "densenet121",
    "efficientnet_lite0",
    "digit_net",
    "vgg11_bn",
)


def inputs(N: int = 3) -> tuple[Tensor, Tensor]:
    images = torch.randn(N, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return images, torch.tensor([3, 0, 4])[:N]


def without_biases(model: nn.Module) -> nn.Module:
    for module in model.modules():
        if getattr(module, "bias", None) is not None:
            module.bias.data.zero_()
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.zero_()
    return model


def scores(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    return model(images)[range(len(images)), targets].detach()


def gradient_x_input(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    x = images.clone().requires_grad_()
    return x.detach() * torch.autograd.grad(model(x)[range(len(x)), targets].sum(), x)[0]


def slow_layer(rule: str, W: list[list[float]], b: list[float], a: list[float], R: list[float]) -> list[float]:
    """One layer by the papers' sums over i and j, with plain numbers; W[j][i].

    gamma is 0.25, alpha 2, epsilon 0.1 of the mean |z|; zB's pixels lie in [-3, 3].
    """
    mean = sum(abs(sum(wi * x for wi, x in zip(w, a, strict=True)) + c) for w, c in zip(W, b, strict=True)) / len(W)

    def q(w: float, x: float, z: float) -> float:
        favoured = max(w * x, 0) if z > 0 else min(w * x, 0)
        zb = w * x + 3 * max(w, 0) - 3 * min(w, 0)
        return {"w_square": w * w, "flat": 1.0, "gamma": w * x + 0.25 * favoured, "zb": zb}.get(rule, w * x)

    result = [0.0] * len(a)
    for w, c, r in zip(W, b, R, strict=True):
        z = sum(wi * x for wi, x in zip(w, a, strict=True)) + c
        if rule in ("alpha_beta", "z_plus"):
            sides = [(1.0, 1)] if rule == "z_plus" else [(2.0, 1), (-1.0, -1)]
        else:
            sides = [(1.0, 0)]
        for factor, sign in sides:
            parts = [q(wi, x, z) for wi, x in zip(w, a, strict=True)]
            own = c if rule not in ("w_square", "flat", "zb") else 0.0
            if rule == "gamma":
                own += 0.25 * (max(c, 0) if z > 0 else min(c, 0))
            if sign:
                parts, own = [p if p * sign > 0 else 0.0 for p in parts], own if own * sign > 0 else 0.0
            total = sum(parts) + own
            if rule == "epsilon":
                total += 0.1 * mean * (1 if z >= 0 else -1)
            for i, part in enumerate(parts):
                result[i] += factor * part / total * r if total else 0.0
    return result


@pytest.mark.parametrize("rule", ["zero", "epsilon", "gamma", "alpha_beta", "z_plus", "w_square", "flat", "composite"])
@pytest.mark.parametrize("seed", range(3))
def test_four_layers_equal_the_papers_sums(rule: str, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    sizes = (5, 4, 6, 4, 2)
    net = nn.Sequential(nn.Flatten())
    for i, (width, out) in enumerate(pairwise(sizes)):
        net.extend([nn.Linear(width, out), nn.ReLU() if i < 3 else nn.Identity()])
    net = net.double()
    for parameter in net.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    x = torch.randn(5, generator=generator, dtype=torch.float64).clamp(-3, 3)
    layers = [module for module in net if isinstance(module, nn.Linear)]
    values = [x]
    for layer in layers[:-1]:
        values.append((layer.weight @ values[-1] + layer.bias).relu().detach())
    y = net(x.view(1, 1, 1, 5))[0]
    R = [0.0, y[1].item()]
    by_depth = ("zb", "gamma", "gamma", "epsilon") if rule == "composite" else (rule,) * 4
    for layer, a, name in zip(layers[::-1], values[::-1], by_depth[::-1], strict=True):
        R = slow_layer(name, layer.weight.tolist(), layer.bias.tolist(), a.tolist(), R)
    ours = lrp(net, x.view(1, 1, 1, 5), torch.tensor([1]), rule=rule, epsilon=0.1, low=-3.0, high=3.0).flatten()
    torch.testing.assert_close(ours, torch.tensor(R, dtype=torch.float64), rtol=1e-9, atol=1e-12)


def test_hand_computed() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3, 2, bias=False)).double()
    net[1].weight.data = torch.tensor([[1.0, -1, 2], [0, 0, 0]]).double()
    image, target = torch.tensor([2.0, 3, 1]).double().view(1, 1, 1, 3), torch.tensor([0])  # y = 2 - 3 + 2 = 1
    expected = {
        "zero": [2, -3, 2],
        "gamma": [2.5 / 2, -3 / 2, 2.5 / 2],  # 1.25 (2) and 1.25 (2), less 3: sums to 2
        "alpha_beta": [1, -1, 1],
        "z_plus": [0.5, 0, 0.5],
        "w_square": [1 / 6, 1 / 6, 4 / 6],
        "flat": [1 / 3, 1 / 3, 1 / 3],
        "composite": [1, 0, 0],  # zB with l = 1, h = 3: (2 - 1) 1, (3 - 3) (-1), (1 - 1) 2
    }
    for rule, values in expected.items():
        ours = lrp(net, image, target, rule=rule).flatten()
        torch.testing.assert_close(ours, torch.tensor(values, dtype=torch.float64), msg=rule)


def test_relevance_of_a_maximum_goes_to_the_winner_and_a_residual_sum_shares_in_proportion() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return F.max_pool2d(x + 3 * x, 2).flatten(1)

    image = torch.tensor([[[[1.0, 4.0], [3.0, 2.0]]]], dtype=torch.float64)
    assert lrp(Net(), image, torch.tensor([0]), rule="zero").flatten().tolist() == [0, 16, 0, 0]

    class Residual(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x[:, :1] + x[:, 1:]).flatten(1)

    image = torch.tensor([[[[1.0]], [[3.0]]]], dtype=torch.float64)
    assert lrp(Residual(), image, torch.tensor([0]), rule="zero").flatten().tolist() == [1, 3]


@pytest.mark.parametrize("rule", ["zero", "epsilon", "gamma", "alpha_beta"])
def test_an_average_and_a_sum_hand_on_what_they_get(rule: str) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(6, 2, bias=False).double()
            self.head.weight.data = torch.tensor([[1.0, -2, 3, 1, -1, 2], [0, 0, 0, 0, 0, 0]]).double()

        def forward(self, x: Tensor) -> Tensor:
            return self.head(F.avg_pool2d(x + 2 * x, 2).flatten(1))

    image = torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64) + 0.1
    y = scores(Net(), image, torch.tensor([0]))
    torch.testing.assert_close(lrp(Net(), image, torch.tensor([0]), rule=rule).sum((1, 2, 3)), y)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_zero_is_gradient_x_input_without_biases(seed: int) -> None:
    images, targets = inputs()
    generator = torch.Generator().manual_seed(seed)
    for kind in (GapNet, FlattenNet, FunctionalNet):
        net = without_biases(kind(generator=generator)).double()
        expected = gradient_x_input(net, images, targets)
        ours = lrp(net, images, targets, rule="zero")
        assert (ours - expected).abs().max() <= 1e-10 * expected.abs().max()
        torch.testing.assert_close(ours.sum((1, 2, 3)), scores(net, images, targets))


@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn", "squeezenet1_0", "googlenet", "densenet121", "digit_net"])
def test_zero_is_gradient_x_input_is_deeplift_from_zero_without_biases(name: str) -> None:
    model = without_biases(cnnviz.load_model(name).double())
    C = 1 if name == "digit_net" else 3
    images = torch.randn(1, C, 64, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target = torch.tensor([3])
    expected = gradient_x_input(model, images, target)
    for ours in (lrp(model, images, target, rule="zero"), deeplift(model, images, target)):
        assert (ours - expected).abs().max() <= 1e-10 * expected.abs().max()
    torch.testing.assert_close(expected.sum((1, 2, 3)), scores(model, images, target))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_z_plus_and_zb_never_change_the_sign_of_the_score(seed: int) -> None:
    images, targets = inputs()
    for kind in (GapNet, FlattenNet, BatchNormNet):
        net = kind(generator=torch.Generator().manual_seed(seed)).double()
        sign = scores(net, images, targets).sign()[:, None, None, None]
        assert (lrp(net, images, targets, rule="z_plus") * sign).min() >= 0


def test_zb_is_not_negative() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()).double()
    images, _ = inputs()
    targets = net(images).argmax(1)
    bound = images.abs().max().item()
    assert (scores(net, images, targets) > 0).all()
    for options in ({}, {"low": -bound, "high": bound}):
        # The first layer's rule alone: its averages share in proportion to positive values only if these are positive.
        net[0].bias.data.fill_(20.0)
        assert lrp(net, images, targets, rule="composite", **options).min() >= 0


@pytest.mark.parametrize("name", NETWORKS)
def test_flat_and_w_square_conserve_the_score_on_unmodified_networks(name: str) -> None:
    model = cnnviz.load_model(name).double()
    C = 1 if name == "digit_net" else 3
    images = torch.randn(1, C, 64, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    target = torch.tensor([3])
    for rule in ("flat", "w_square"):
        ours = lrp(model, images, target, rule=rule)
        torch.testing.assert_close(ours.sum((1, 2, 3)), scores(model, images, target), rtol=1e-9, atol=0)


@pytest.mark.parametrize("rule", ["zero", "epsilon", "gamma", "w_square", "flat"])
def test_relevance_of_resnet18_without_biases_sums_to_the_score(rule: str) -> None:
    model = without_biases(cnnviz.load_model("resnet18").double())
    images = torch.randn(2, 3, 64, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    targets = torch.tensor([3, 0])
    y = scores(model, images, targets)
    assert ((lrp(model, images, targets, rule=rule).sum((1, 2, 3)) - y).abs() <= 1e-6 * y.abs()).all()


@pytest.mark.parametrize("rule", RULES)
def test_batch_norm_is_as_if_folded(rule: str) -> None:
    net, (images, targets) = BatchNormNet().double(), inputs()
    folded = BatchNormNet().double()
    for conv, bn in ((0, 1), (4, 5)):
        folded.features[conv] = nn.utils.fusion.fuse_conv_bn_eval(folded.features[conv], folded.features[bn])
        folded.features[bn] = nn.Identity()
    torch.testing.assert_close(lrp(net, images, targets, rule=rule), lrp(folded, images, targets, rule=rule))


@pytest.mark.parametrize("rule", RULES)
def test_padding_is_as_if_the_convolution_padded(rule: str) -> None:
    net, (images, targets) = GapNet().double(), inputs()
    padded = GapNet().double()
    padded.features[0].padding = (0, 0)
    model = nn.Sequential(nn.ZeroPad2d(1), padded)
    torch.testing.assert_close(lrp(model, images, targets, rule=rule), lrp(net, images, targets, rule=rule))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"rule": "eps"}, "rule: got 'eps', needs one of 'zero', 'epsilon', 'gamma'"),
        ({"epsilon": -1.0}, "epsilon: got -1.0, needs a finite number from 0"),
        ({"gamma": -1.0}, "gamma: got -1.0, needs a finite number from 0"),
        ({"alpha": 0.5}, "alpha: got 0.5, needs a finite number from 1"),
        ({"rule": "composite", "low": 0.0}, "low, high: got [0, "),
    ],
)
def test_bad_options_are_named(options: dict[str, object], sentence: str) -> None:
    images, targets = inputs()
    with pytest.raises(ValueError) as error:  # noqa: PT011
        lrp(GapNet().double(), images, targets, **options)
    assert str(error.value).startswith(sentence)


def test_float32_reads_each_z_as_the_network_rounded_it() -> None:
    # A z near 0 that is computed a second time, in another order, would hand on another share altogether.
    model = without_biases(cnnviz.load_model("resnet18"))
    images = torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    expected = gradient_x_input(model, images, torch.tensor([3, 0]))
    ours = lrp(model, images, torch.tensor([3, 0]), rule="zero")
    assert (ours - expected).abs().max() <= 1e-5 * expected.abs().max()

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import deeplift

BOTH = pytest.mark.parametrize("rule", ["rescale", "revealcancel"])
EIGHT = (
    "resnet18",
    "vgg11_bn",
    "squeezenet1_0",
    "mobilenet_v2",
    "googlenet",
    "densenet121",
    "efficientnet_lite0",
    "digit_net",
)


def inputs(N: int = 3, seed: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    images, baselines = torch.randn(2, N, 3, 12, 8, generator=generator, dtype=torch.float64)
    return images, baselines, torch.tensor([3, 0, 4])[:N]


def difference(model: nn.Module, images: Tensor, baselines: Tensor, targets: Tensor) -> Tensor:
    return (model(images) - model(baselines))[range(len(images)), targets].detach()


class PoolNet(nn.Module):
    """A ReLU next to overlapping max-pools, on both sides."""

    def __init__(self) -> None:
        super().__init__()
        first = GapNet(generator=torch.Generator().manual_seed(2)).double()
        self.body = nn.Sequential(
            first.features[0], nn.ReLU(), nn.MaxPool2d(3, stride=1, padding=1), nn.ReLU6(), nn.MaxPool2d(3, 2),
            first.features[2], nn.MaxPool2d(2, ceil_mode=True), nn.ReLU(), first.pool, nn.Flatten(), first.classifier,
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return self.body(3 * x)


def relu(z: float) -> float:
    return max(z, 0.0)


def slow(rule: str, W: Tensor, b: Tensor, v: Tensor, x: Tensor, x0: Tensor) -> list[float]:
    """y = v . relu(W x + b) by the paper's sums, one neuron and one input at a time."""
    C = [0.0] * len(x)
    for w, c, out in zip(W.tolist(), b.tolist(), v.tolist(), strict=True):
        parts = [wi * (xi - x0i) for wi, xi, x0i in zip(w, x.tolist(), x0.tolist(), strict=True)]
        z0 = sum(wi * x0i for wi, x0i in zip(w, x0.tolist(), strict=True)) + c
        plus, minus = sum(p for p in parts if p > 0), sum(p for p in parts if p < 0)
        if rule == "rescale":
            m_plus = m_minus = (relu(z0 + plus + minus) - relu(z0)) / (plus + minus)
        else:
            up = (relu(z0 + plus) - relu(z0) + relu(z0 + plus + minus) - relu(z0 + minus)) / 2
            down = (relu(z0 + minus) - relu(z0) + relu(z0 + plus + minus) - relu(z0 + plus)) / 2
            m_plus, m_minus = up / plus if plus else 0.0, down / minus if minus else 0.0
        for i, part in enumerate(parts):
            C[i] += out * part * (m_plus if part > 0 else m_minus)
    return C


@BOTH
@pytest.mark.parametrize("seed", range(5))
def test_equals_the_papers_sums(rule: str, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((6, 5), (6,), (1, 6), (5,), (5,))
    W, b, v, x, x0 = (torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in shapes)
    net = nn.Sequential(nn.Flatten(), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 1, bias=False)).double()
    for parameter, value in zip(net.parameters(), (W, b, v), strict=True):
        parameter.data = value
    x, x0 = x.view(1, 1, 1, 5), x0.view(1, 1, 1, 5)
    ours = deeplift(net, x, torch.tensor([0]), baselines=x0, rule=rule).flatten()
    expected = torch.tensor(slow(rule, W, b, v[0], x.flatten(), x0.flatten()), dtype=torch.float64)
    torch.testing.assert_close(ours, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("rule", "expected"), [("rescale", [0, 6]), ("revealcancel", [3, 3])])
def test_minimum_of_two_inputs_is_shared_by_revealcancel_only(rule: str, expected: list[float]) -> None:
    # min(a, b) = relu(a) - relu(a - b) for a >= 0, at a = 10, b = 6.
    net = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False), nn.ReLU(), nn.Linear(2, 1, bias=False)).double()
    net[1].weight.data = torch.tensor([[1.0, 0], [1, -1]]).double()
    net[3].weight.data = torch.tensor([[1.0, -1]]).double()
    image = torch.tensor([10.0, 6]).double().view(1, 1, 1, 2)
    ours = deeplift(net, image, torch.tensor([0]), rule=rule).flatten()
    torch.testing.assert_close(ours, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(
    ("x", "x0", "expected"),
    [
        ([5.0, 1], [1.0, 2], [3, 0]),  # 2 -> 5: grew, to the winner at x
        ([1.0, 2], [5.0, 1], [-3, 0]),  # 5 -> 2: fell, to the winner at the baseline
        ([4.0, 1], [3.0, 4], [0, 0]),  # 4 -> 4
    ],
)
def test_maximum_hand_computed(x: list[float], x0: list[float], expected: list[float]) -> None:
    net = nn.Sequential(nn.MaxPool2d((1, 2)), nn.Flatten())
    image, baseline = (torch.tensor(v, dtype=torch.float64).view(1, 1, 1, 2) for v in (x, x0))
    assert deeplift(net, image, torch.tensor([0]), baselines=baseline).flatten().tolist() == expected


@BOTH
@pytest.mark.parametrize("name", EIGHT)
def test_contributions_sum_to_the_difference_of_the_scores_on_unmodified_networks(name: str, rule: str) -> None:
    model = cnnviz.load_model(name).double()
    generator = torch.Generator().manual_seed(1)
    images, baselines = torch.randn(2, 1, 1 if name == "digit_net" else 3, 32, 48, generator=generator).double()
    targets = torch.tensor([3])
    C = deeplift(model, images, targets, baselines=baselines, rule=rule)
    expected = difference(model, images, baselines, targets)
    assert ((C.sum((1, 2, 3)) - expected).abs() <= 1e-9 * expected.abs()).all()


@BOTH
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_contributions_sum_to_the_difference_next_to_max_pools(rule: str, seed: int) -> None:
    images, baselines, targets = inputs(seed=seed)
    for net in (PoolNet(), FlattenNet().double(), FunctionalNet().double(), BatchNormNet().double()):
        C = deeplift(net, images, targets, baselines=baselines, rule=rule)
        expected = difference(net, images, baselines, targets)
        assert ((C.sum((1, 2, 3)) - expected).abs() <= 1e-9 * expected.abs().max()).all()


@BOTH
def test_samples_do_not_depend_on_each_other_or_on_their_baselines(rule: str) -> None:
    images, baselines, targets = inputs()
    together = deeplift(PoolNet(), images, targets, baselines=baselines, rule=rule)
    for n in range(3):
        one = slice(n, n + 1)
        alone = deeplift(PoolNet(), images[one], targets[one], baselines=baselines[one], rule=rule)
        assert (alone[0] - together[n]).abs().max() <= 1e-12 * together.abs().max()


def test_linear_model() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(288, 5)).double()
    images, baselines, targets = inputs()
    expected = net[1].weight.detach()[targets].view_as(images) * (images - baselines)
    torch.testing.assert_close(deeplift(net, images, targets, baselines=baselines), expected)


def test_without_biases_and_with_zero_baseline_it_is_gradient_x_input() -> None:
    net, (images, _, targets) = GapNet(bias=False).double(), inputs()
    x = images.clone().requires_grad_()
    expected = images * torch.autograd.grad(net(x)[range(3), targets].sum(), x)[0]
    assert (deeplift(net, images, targets) - expected).abs().max() <= 1e-10 * expected.abs().max()


@BOTH
def test_image_that_is_its_baseline_has_no_contributions(rule: str) -> None:
    images, _, targets = inputs()
    assert deeplift(PoolNet(), images, targets, baselines=images, rule=rule).abs().max() == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"rule": "linear"}, "rule: got 'linear', needs one of 'rescale', 'revealcancel'; choose one of them."),
        ({"baselines": 0}, "baselines: got int, needs a tensor [3, 3, 12, 8] or [1, 3, 12, 8]; give one per image."),
        ({"baselines": torch.zeros(3, 3, 8, 8)}, "baselines: got [3, 3, 8, 8], needs a tensor [3, 3, 12, 8] or"),
        ({"baselines": torch.zeros(1, 3, 12, 8)}, "baselines: got torch.float32, but the model is torch.float64"),
        ({"baselines": torch.zeros(1, 3, 12, 8).double() / 0}, "baselines: got NaN or infinity, needs finite values"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], sentence: str) -> None:
    images, _, targets = inputs()
    with pytest.raises(ValueError) as error:  # noqa: PT011
        deeplift(GapNet().double(), images, targets, **options)
    assert str(error.value).startswith(sentence)

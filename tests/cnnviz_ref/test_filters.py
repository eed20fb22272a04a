"""Filters against hand computation, and their scaling."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import activations, filters
from cnnviz_ref.filters import scale_filters

IMAGES = torch.randn(2, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
W = torch.tensor([[[[-1.0, 0.0, 3.0]], [[1.0, 1.0, 0.0]]], [[[2.0, 2.0, 2.0]], [[2.0, 2.0, 2.0]]]])


def test_copies_the_weights_in_their_order() -> None:
    net = nn.Sequential(nn.Conv2d(2, 2, (1, 3)))
    net[0].weight.data.copy_(W)
    found = filters(net, "0")
    assert torch.equal(found, W)
    found.zero_()
    assert torch.equal(net[0].weight, W)


@pytest.mark.parametrize("net", [GapNet(stride=2), FunctionalNet()], ids=lambda net: type(net).__name__)
def test_law_the_layer_is_the_convolution_with_its_filters(net: nn.Module) -> None:
    net = net.double()
    name, layer = next((name, module) for name, module in net.named_modules() if isinstance(module, nn.Conv2d))
    expected = F.conv2d(IMAGES, filters(net, name), layer.bias, padding=1).detach()
    assert torch.equal(activations(net, IMAGES, name), expected)


def test_groups_give_the_channels_of_one_group() -> None:
    assert filters(nn.Sequential(nn.Conv2d(4, 6, 3, groups=2)), "0").shape == (6, 2, 3, 3)


def test_a_computed_weight_is_that_of_eval_mode_and_does_not_move() -> None:
    net = nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3))).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    first, second = filters(net, "0"), filters(net, "0")
    assert torch.equal(first, second)
    assert torch.equal(first, net.eval()[0].weight)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_scaling_by_hand() -> None:
    # filter 0 from -1 to 3 over both its colours; filter 1 is constant
    expected = [[[[0, 0.25, 1]], [[0.5, 0.5, 0.25]]], [[[0.5, 0.5, 0.5]], [[0.5, 0.5, 0.5]]]]
    before = W.clone()
    assert scale_filters(W).tolist() == expected
    assert torch.equal(W, before)
    assert scale_filters(torch.zeros(1, 1, 2, 2)).unique().tolist() == [0.5]


def slow_scale(weights: Tensor) -> Tensor:
    scaled = torch.empty_like(weights)
    for k in range(len(weights)):
        values = [float(w) for w in weights[k].flatten()]
        low, high = min(values), max(values)
        stretched = [0.5 if low == high else (w - low) / (high - low) for w in values]
        scaled[k] = torch.tensor(stretched, dtype=weights.dtype).view(weights.shape[1:])
    return scaled


values = st.lists(st.floats(-1e30, 1e30, allow_subnormal=False), min_size=12, max_size=12)


@settings(max_examples=30, deadline=None)
@given(values=values)
def test_law_every_filter_spans_0_to_1_and_nothing_is_nan(values: list[float]) -> None:
    weights = torch.tensor(values, dtype=torch.float64).view(3, 2, 1, 2)
    scaled = scale_filters(weights)
    assert torch.equal(scaled, slow_scale(weights))
    for before, after in zip(weights, scaled, strict=True):
        constant = before.min() == before.max()
        assert (after.min(), after.max()) == ((0.5, 0.5) if constant else (0, 1))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), gain=st.sampled_from([0.25, 2.0, 8.0]), k=st.integers(0, 2))
def test_law_a_filter_is_scaled_alone_and_its_gain_does_not_show(seed: int, gain: float, k: int) -> None:
    weights = torch.randn(3, 2, 3, 2, generator=torch.Generator().manual_seed(seed))
    changed = weights.clone()
    changed[k] *= gain
    assert torch.equal(scale_filters(changed), scale_filters(weights))


def known_mistakes(weights: Tensor) -> dict[str, Tensor]:
    span = weights.max() - weights.min()
    return {
        "global scaling": (weights - weights.min()) / span,
        "clamp without scaling": weights.clamp(0, 1),
        "every colour alone": torch.stack([scale_filters(w[:, None])[:, 0] for w in weights]),
    }


@pytest.mark.parametrize("mistake", known_mistakes(W))
def test_known_mistakes_are_far_away(mistake: str) -> None:
    weights = filters(BatchNormNet(), "features.0")
    assert (known_mistakes(weights)[mistake] - scale_filters(weights)).abs().max() > 1e-2


def test_layers_that_are_not_convolutions_are_refused_with_the_list_of_those_that_are() -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        filters(FlattenNet(), "classifier.0")
    assert str(error.value) == (
        "layer: got 'classifier.0', of type Linear, needs a Conv2d; choose one of features.0, features.3."
    )
    with pytest.raises(ValueError, match=r"needs a Conv2d; this model has none, so choose another model\.$"):
        filters(nn.Sequential(nn.Linear(2, 2)), "0")
    with pytest.raises(ValueError, match=r"features\.39\.0 and 5 more\.$"):
        filters(
            nn.ModuleDict({"features": nn.Sequential(*(nn.Sequential(nn.Conv2d(1, 1, 1)) for _ in range(45)))}),
            "features",
        )
    with pytest.raises(ValueError, match=r"^layer: got 'feature', but the model's layers are features, pool"):
        filters(GapNet(), "feature")


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([1.0], "filters: got list, needs floats [K C kh kw]; take them from filters(model, layer)."),
        (
            torch.ones(2, 1, 3, 3).int(),
            "filters: got torch.int32, needs floats [K C kh kw]; take them from filters(model, layer).",
        ),
        (torch.ones(3, 3), "filters: got shape [3, 3], needs [K C kh kw]; one filter is W[k : k + 1]."),
        (torch.ones(0, 1, 3, 3), "filters: got shape [0, 1, 3, 3], needs [K C kh kw]; one filter is W[k : k + 1]."),
        (
            torch.full((1, 1, 2, 2), torch.nan),
            "filters: got NaN or infinity, needs finite values; look at how the network was trained.",
        ),
    ],
)
def test_bad_filters_are_refused(weights: object, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        scale_filters(weights)
    assert str(error.value) == sentence

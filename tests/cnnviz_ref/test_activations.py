"""Activations against hand computation and against the layers run one by one."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnviz.small_nets import FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import activations

IMAGES = torch.randn(3, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_difference_of_neighbours_by_hand() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, (1, 2)), nn.ReLU(inplace=True), nn.Flatten())
    net[0].weight.data.copy_(torch.tensor([[[[1.0, -1.0]]], [[[0.0, 2.0]]]]))
    net[0].bias.data.copy_(torch.tensor([0.0, 1.0]))
    image = torch.tensor([[[[1.0, 4.0, 2.0]]]])
    assert activations(net, image, "0").tolist() == [[[[-3, 2]], [[9, 5]]]]
    assert activations(net, image, "1").tolist() == [[[[0, 2]], [[9, 5]]]]


@pytest.mark.parametrize("i", range(5))
def test_equals_the_layers_run_one_by_one(i: int) -> None:
    net = FlattenNet().double()
    assert torch.equal(activations(net, IMAGES, f"features.{i}"), net.features[: i + 1](IMAGES).detach())


def test_layer_before_an_in_place_relu_keeps_its_negative_values() -> None:
    net = FunctionalNet().double()
    expected = net.features.conv2(F.relu(net.features.conv1(IMAGES))).detach()
    assert (expected < 0).any()
    assert torch.equal(activations(net, IMAGES, "features.conv2"), expected)


def test_law_the_head_on_the_activations_gives_the_scores() -> None:
    net = GapNet(stride=2).double()
    A = activations(net, IMAGES, "features")
    assert torch.equal(net.classifier(net.pool(A).flatten(1)), net(IMAGES))


def test_result_is_a_copy() -> None:
    net = nn.Sequential(nn.Identity(), nn.Flatten())
    images = torch.ones(1, 1, 1, 2)
    activations(net, images, "0").zero_()
    assert images.tolist() == [[[[1, 1]]]]


def test_unfit_layers_are_refused() -> None:
    net, images = GapNet().double(), IMAGES
    with pytest.raises(ValueError, match=r"^layer: got 'feature', but the model's layers are features, pool"):
        activations(net, images, "feature")
    with pytest.raises(ValueError, match=r"^layer 'classifier': gives \[3, 5\], needs maps \[N K h w\]"):
        activations(net, images, "classifier")

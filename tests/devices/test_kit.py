"""The kit takes what lies on another device, and leaves it there."""

import copy

import matplotlib
import numpy as np
import pytest
import torch

import cnnviz
from tests.devices.places import on_each_device, values
from tests.devices.pretend import device_at_hand

matplotlib.use("agg")


@pytest.fixture
def photo():
    return cnnviz.photo("coffee")[:, :96, :96]


@on_each_device
def test_pictures_are_drawn_of_maps_and_images_on_the_device(device, photo):
    from matplotlib import pyplot

    with device_at_hand(device):
        image, heatmap = photo.to(device), torch.rand(4, 4).to(device)
        cnnviz.show_map(heatmap)
        cnnviz.overlay(image, heatmap)
        cnnviz.show_grid([heatmap, image, heatmap - 0.5])
    pyplot.close("all")


@on_each_device
def test_images_are_prepared_and_put_back_on_the_device(device, photo):
    expected = cnnviz.preprocess(photo, size=64)
    with device_at_hand(device):
        there = cnnviz.preprocess(photo.to(device), size=64)
        back = cnnviz.deprocess(there)
        assert {str(each.device).split(":")[0] for each in (there, back)} == {device}
    np.testing.assert_allclose(values(there), expected.numpy(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(values(back), cnnviz.deprocess(expected).numpy(), rtol=1e-5, atol=1e-6)


@on_each_device
@pytest.mark.parametrize("name", ["digit_net", "efficientnet_lite0"])
def test_a_network_of_the_kit_gives_the_same_scores_on_the_device(device, name):
    model = getattr(cnnviz, name)()
    images = torch.rand(1, 1, 64, 48) if name == "digit_net" else torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        expected = model(images)
        with device_at_hand(device):
            result = copy.deepcopy(model).to(device)(images.to(device))
    np.testing.assert_allclose(values(result), expected.numpy(), rtol=1e-3, atol=1e-3)

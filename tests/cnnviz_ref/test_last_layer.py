import pytest
import torch
from torch import nn
from torchvision import models

import cnnviz
from cnnviz_ref import activations, cam, embed, grad_cam, guided_grad_cam
from cnnviz_ref._last_layer import last_convolutional_layer

PICTURE = torch.zeros(1, 3, 64, 64)


@pytest.mark.parametrize(
    ("name", "layer"),
    [("resnet18", "layer4"), ("vgg11", "features.19"), ("squeezenet1_1", "classifier.2"), ("densenet121", "features")],
)
def test_it_ends_where_the_grid_of_the_last_convolution_ends(name, layer):
    assert last_convolutional_layer(cnnviz.load_model(name), PICTURE) == layer


@pytest.mark.parametrize("name", sorted(cnnviz.LAST_LAYER.keys() - {"digit_net", "resnet50", "resnet34"}))
def test_it_is_the_layer_that_the_course_uses(name):
    picture = torch.zeros(1, 3, 224, 224)
    assert last_convolutional_layer(cnnviz.load_model(name), picture) == cnnviz.LAST_LAYER[name]


def test_a_squeeze_to_one_place_after_it_is_none():
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 2, 1), nn.Flatten())
    assert last_convolutional_layer(net, PICTURE) == "1"


def test_the_methods_take_it_where_no_layer_is_named():
    net, canvas = cnnviz.digit_net(), cnnviz.cluttered_digits(2, seed=0).images
    for method in (grad_cam, cam, guided_grad_cam):
        assert torch.equal(method(net, canvas, 3), method(net, canvas, 3, "features"))
    for method in (activations, embed):
        assert torch.equal(method(net, canvas), method(net, canvas, "features"))


def test_the_model_is_left_as_found():
    net = models.resnet18(weights=None).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    last_convolutional_layer(net, PICTURE)
    assert net.training
    assert not any(module._forward_hooks for module in net.modules())
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_a_network_without_convolutions_is_told():
    with pytest.raises(ValueError, match="no convolution of the model gives a map; name one of its layers"):
        grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.zeros(1, 3, 2, 2), 0)

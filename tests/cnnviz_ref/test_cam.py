"""CAM against hand computation, loops written from the paper, and its law; and networks converted for it."""

from __future__ import annotations

import pickle
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import cam, convert_to_cam, grad_cam

TARGETS = torch.tensor([3, 0, 4])
GAP_NETS = [GapNet(stride=2), BatchNormNet(), FunctionalNet()]


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def relative(ours: Tensor, expected: Tensor) -> float:
    return float(((ours - expected).abs().max() / expected.abs().max()).detach())


def name(value: object) -> str:
    return type(value).__name__


def two_channel_net(pool: nn.Module) -> nn.Module:
    net = nn.Sequential(nn.Identity(), pool, nn.Flatten(), nn.Linear(2, 3))
    net[3].weight.data = torch.tensor([[1.0, 0.0], [2.0, -1.0], [-1.0, 0.5]])
    net[3].bias.data = torch.tensor([10.0, 20.0, 30.0])
    return net


def test_two_by_two_example_by_hand() -> None:
    image = torch.tensor([[[[1.0, 2.0], [0.0, 4.0]], [[3.0, 0.0], [0.0, 2.0]]]])
    maps = cam(two_channel_net(nn.AdaptiveAvgPool2d(1)), torch.cat([image, image]), torch.tensor([1, 2]), "0")
    assert maps.tolist() == [[[-1, 4], [0, 6]], [[0.5, -2], [0, -3]]]


def test_max_pooling_is_not_average_pooling() -> None:
    with pytest.raises(ValueError, match="convert_to_cam"):
        cam(two_channel_net(nn.AdaptiveMaxPool2d(1)), torch.rand(1, 2, 2, 2), torch.tensor([1]), "0")


def test_layer_before_the_last_relu_is_refused() -> None:
    with pytest.raises(ValueError, match=r"layer 'features\.2', which CAM needs; choose the layer that is pooled"):
        cam(GapNet().double(), pictures(3, 3, 12, 8), TARGETS, "features.2")


def test_head_is_found_by_what_it_computes_and_not_by_its_name_or_place() -> None:
    class Disguised(GapNet):
        def __init__(self) -> None:
            super().__init__()
            self.decoy = deepcopy(self.classifier)
            self.projection = nn.Conv2d(6, 5, 1)
            self.projection.load_state_dict(
                {"weight": self.classifier.weight[:, :, None, None], "bias": self.classifier.bias}
            )
            nn.init.zeros_(self.classifier.weight)
            nn.init.ones_(self.decoy.weight)

        def forward(self, images: Tensor) -> Tensor:
            return self.projection(self.pool(self.features(images))).flatten(1)

    images = pictures(3, 3, 12, 8)
    expected = cam(GapNet().double(), images, TARGETS, "features")
    assert relative(cam(Disguised().double(), images, TARGETS, "features"), expected) < 1e-14


@pytest.mark.parametrize("net", GAP_NETS, ids=name)
def test_equals_loops_written_from_the_paper(net: nn.Module) -> None:
    net, images = deepcopy(net).double(), pictures(3, 3, 12, 8)
    f, W = net.features(images).detach(), net.classifier.weight.detach()
    expected = torch.zeros(3, *f.shape[2:], dtype=torch.float64)
    for n in range(3):
        for x in range(f.shape[2]):
            for y in range(f.shape[3]):
                expected[n, x, y] = sum(float(W[TARGETS[n], k]) * float(f[n, k, x, y]) for k in range(f.shape[1]))
    assert (expected < 0).any()
    assert relative(cam(net, images, TARGETS, "features"), expected) < 1e-14


@pytest.mark.parametrize("net", GAP_NETS, ids=name)
def test_law_mean_of_the_map_and_the_bias_are_the_score(net: nn.Module) -> None:
    net, images = deepcopy(net).double(), pictures(3, 3, 12, 8)
    y = net(images).detach()[torch.arange(3), TARGETS]
    b = net.classifier.bias.detach()[TARGETS]
    assert relative(cam(net, images, TARGETS, "features").mean(dim=(1, 2)) + b, y) < 1e-13


def test_law_holds_for_the_trained_network_on_a_photo() -> None:
    net, images = cnnviz.efficientnet_lite0(), cnnviz.preprocess(cnnviz.photo("chelsea"))
    target = torch.tensor([cnnviz.class_index("Egyptian cat")])
    with torch.no_grad():
        y, b = net(images)[0, target], net.classifier.bias[target]
    assert relative(cam(net, images, target, "features").mean(dim=(1, 2)) + b, y) < 1e-5


CONVERTIBLE = [
    (FlattenNet(), "features"),
    (FlattenNet(), "features.0"),
    (FunctionalNet(), "features.conv2"),
    (FunctionalNet(), "features.relu"),
    (BatchNormNet(), "features"),
]


@pytest.mark.parametrize(("net", "layer"), CONVERTIBLE, ids=name)
def test_converted_network_is_the_model_up_to_the_layer_then_gap_and_one_linear_layer(
    net: nn.Module, layer: str
) -> None:
    net, images = deepcopy(net).double(), pictures(3, 3, 12, 8)
    converted, f = convert_to_cam(net, layer), layer_output(net, images, layer)
    assert torch.equal(converted.features(images), f)
    assert converted.classifier.weight.shape == (5, f.shape[1])
    assert converted(images).tolist() == torch.zeros(3, 5).tolist()
    fill(converted.classifier)
    expected = F.linear(f.mean(dim=(2, 3)), converted.classifier.weight, converted.classifier.bias)
    assert relative(converted(images), expected) < 1e-14


def layer_output(net: nn.Module, images: Tensor, layer: str) -> Tensor:
    kept: list[Tensor] = []
    handle = net.get_submodule(layer).register_forward_hook(lambda _m, _i, output: kept.append(output.clone()))
    net(images)
    handle.remove()
    return kept[-1]


def fill(head: nn.Linear) -> None:
    """Weights as after some training."""
    head.weight.data = pictures(*head.weight.shape, seed=2).to(head.weight.dtype)
    head.bias.data = pictures(*head.bias.shape, seed=3).to(head.bias.dtype)


@pytest.mark.parametrize(("net", "layer"), CONVERTIBLE, ids=name)
def test_laws_hold_on_a_converted_network_under_both_names_of_the_layer(net: nn.Module, layer: str) -> None:
    converted, images = convert_to_cam(deepcopy(net).double(), layer), pictures(3, 3, 12, 8)
    fill(converted.classifier)
    M = cam(converted, images, TARGETS, "features")
    assert torch.equal(cam(converted, images, TARGETS, layer), M)
    y = converted(images).detach()[torch.arange(3), TARGETS]
    assert relative(M.mean(dim=(1, 2)) + converted.classifier.bias.detach()[TARGETS], y) < 1e-13
    for name_of_layer in ("features", layer):
        L = grad_cam(converted, images, TARGETS, name_of_layer)
        assert relative(L, M.relu() / (M.shape[1] * M.shape[2])) < 1e-12


@pytest.mark.parametrize(
    ("model", "layer"),
    [("alexnet", "features"), ("squeezenet1_0", "features"), ("resnet18", "layer3.1.bn2"), ("vgg11_bn", "features.20")],
)
def test_networks_of_torchvision_convert(model: str, layer: str) -> None:
    net, images = cnnviz.load_model(model), pictures(2, 3, 64, 96).float()
    converted = convert_to_cam(net, layer)
    assert converted.classifier.out_features == 1000
    fill(converted.classifier)
    M = cam(converted, images, TARGETS[:2], "features")
    Z = M.shape[1] * M.shape[2]
    assert relative(grad_cam(converted, images, TARGETS[:2], layer), M.relu() / Z) < 1e-5


def test_nothing_is_shared_with_the_original_and_the_tail_is_gone() -> None:
    net = FlattenNet()
    converted = convert_to_cam(net, "features.3")
    ours = {parameter.data_ptr() for parameter in net.parameters()}
    assert ours.isdisjoint(parameter.data_ptr() for parameter in converted.parameters())
    assert [name for name, _ in converted.named_parameters()] == [
        "features.network.features.0.weight",
        "features.network.features.0.bias",
        "features.network.features.3.weight",
        "features.network.features.3.bias",
        "classifier.weight",
        "classifier.bias",
    ]


def test_mode_dtype_and_frozen_parameters_are_kept() -> None:
    net = BatchNormNet().double()
    net.features[0].requires_grad_(False)
    net.train()
    net.features[1].eval()
    converted = convert_to_cam(net, "features")
    kept = converted.features.network.features
    assert (converted.training, converted.classifier.training, kept.training, kept[1].training) == (
        True,
        True,
        True,
        False,
    )
    assert [p.requires_grad for p in converted.parameters()][:3] == [False, False, True]
    assert all(p.requires_grad for p in converted.classifier.parameters())
    assert {p.dtype for p in converted.parameters()} == {torch.float64}


def test_no_random_numbers_are_drawn() -> None:
    before = torch.get_rng_state()
    convert_to_cam(GapNet(), "features")
    assert torch.equal(torch.get_rng_state(), before)


def test_converted_network_can_be_copied_pickled_and_converted_again() -> None:
    images, converted = pictures(2, 3, 12, 8), convert_to_cam(FlattenNet().double(), "features")
    fill(converted.classifier)
    expected = converted(images)
    assert torch.equal(deepcopy(converted)(images), expected)
    assert torch.equal(pickle.loads(pickle.dumps(converted))(images), expected)
    assert torch.equal(convert_to_cam(converted, "features").features(images), converted.features(images))


def test_retraining_the_head_lowers_the_loss_and_leaves_the_backbone() -> None:
    images, labels = pictures(20, 3, 12, 8), torch.arange(20) % 5
    converted = convert_to_cam(FlattenNet().double(), "features")
    backbone = deepcopy(converted.features.state_dict())
    optimizer = torch.optim.SGD(converted.classifier.parameters(), lr=0.5)
    losses = []
    for _ in range(30):
        loss = F.cross_entropy(converted(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(torch.tensor(5.0).log().item(), rel=1e-6)
    assert losses[-1] < losses[0] - 0.05
    assert all(torch.equal(value, backbone[key]) for key, value in converted.features.state_dict().items())
    assert all(parameter.grad is not None for parameter in converted.features.parameters())

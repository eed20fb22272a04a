"""Grad-CAM against hand computation, finite differences, CAM, and photos whose answer is known."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional as F

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import cam, grad_cam
from cnnviz_ref.grad_cam import activations_and_gradients, neuron_importance, weighted_sum

TARGETS = torch.tensor([3, 0, 4])


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def relative(ours: Tensor, expected: Tensor) -> float:
    return float((ours - expected).abs().max() / expected.abs().max())


class SquareOfSum(nn.Module):
    """Layer = the image itself, K = 2; y^0 = sum(A^0) - 2 sum(A^1), y^1 = (sum of A^0)^2."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        A = self.layer(images).sum(dim=(2, 3))
        return torch.stack([A[:, 0] - 2 * A[:, 1], A[:, 0] ** 2], dim=1)


def test_two_by_two_example_by_hand() -> None:
    image = torch.tensor([[[[1.0, 4.0], [0.0, 3.0]], [[2.0, 1.0], [0.0, -1.0]]]])
    images, targets = torch.cat([image, image]), torch.tensor([0, 1])
    A, dA = activations_and_gradients(SquareOfSum(), images, targets, "layer")
    assert torch.equal(A, images)
    # class 0: alpha = (1, -2); class 1: d/dA^0 of 8^2 is 16 everywhere, alpha = (16, 0)
    assert neuron_importance(dA).tolist() == [[1, -2], [16, 0]]
    assert weighted_sum(neuron_importance(dA), A).tolist() == [[[-3, 2], [0, 5]], [[16, 64], [0, 48]]]
    assert grad_cam(SquareOfSum(), images, targets, "layer").tolist() == [[[0, 2], [0, 5]], [[16, 64], [0, 48]]]


def test_importance_is_the_mean_and_not_the_sum() -> None:
    dA = torch.tensor([[[[1.0, 2.0, 3.0], [4.0, -5.0, 7.0]]]])
    assert neuron_importance(dA).tolist() == [[2.0]]


def slow_grad_cam(A: Tensor, rest: Callable[[Tensor], Tensor], targets: Tensor) -> Tensor:
    """The paper's equations 1 and 2, one number at a time, the derivative by central differences through the rest."""
    eps = 1e-6
    N, K, h, w = A.shape
    maps = torch.zeros(N, h, w, dtype=A.dtype)

    def y(n: int, changed: Tensor) -> float:
        return float(rest(changed[n : n + 1])[0, targets[n]])

    for n in range(N):
        for k in range(K):
            alpha = 0.0
            for i in range(h):
                for j in range(w):
                    up, down = A.clone(), A.clone()
                    up[n, k, i, j] += eps
                    down[n, k, i, j] -= eps
                    alpha += (y(n, up) - y(n, down)) / (2 * eps) / (h * w)
            maps[n] += alpha * A[n, k]
    return maps.clamp(min=0)


@pytest.mark.parametrize("net", [GapNet(), BatchNormNet(), FunctionalNet()], ids=lambda net: type(net).__name__)
def test_equals_finite_differences_written_from_the_paper(net: nn.Module) -> None:
    net, images = deepcopy(net).double(), pictures(3, 3, 12, 8)
    with torch.no_grad():
        expected = slow_grad_cam(net.features(images), lambda A: net.classifier(net.pool(A).flatten(1)), TARGETS)
    assert expected.max() > 0
    assert (expected == 0).any()
    assert relative(grad_cam(net, images, TARGETS, "features"), expected) < 1e-7


def test_equals_finite_differences_on_a_network_without_gap() -> None:
    net, images = FlattenNet().double(), pictures(3, 3, 12, 8)
    # The layer is a convolution: after its ReLU, zeros tie in the max-pooling and the derivative is not unique.
    with torch.no_grad():
        A = net.features[:4](images)
        expected = slow_grad_cam(A, lambda A: net.classifier(net.pool(net.features[4:](A)).flatten(1)), TARGETS)
    assert expected.max() > 0
    assert relative(grad_cam(net, images, TARGETS, "features.3"), expected) < 1e-7


@pytest.mark.parametrize("net", [GapNet(stride=2), BatchNormNet(), FunctionalNet()], ids=lambda n: type(n).__name__)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
def test_law_equals_relu_cam_over_Z(net: nn.Module, dtype: torch.dtype, tolerance: float) -> None:
    net, images = deepcopy(net).to(dtype), pictures(3, 3, 12, 8).to(dtype)
    M = cam(net, images, TARGETS, "features")
    assert (M < 0).any()
    Z = M.shape[1] * M.shape[2]
    assert relative(grad_cam(net, images, TARGETS, "features"), M.relu() / Z) < tolerance


@pytest.mark.parametrize(("name", "layer"), [("resnet18", "layer4"), ("mobilenet_v2", "features")])
def test_law_equals_relu_cam_over_Z_on_deep_networks(name: str, layer: str) -> None:
    net, images = cnnviz.load_model(name).double(), pictures(2, 3, 64, 96)
    M = cam(net, images, TARGETS[:2], layer)
    assert relative(grad_cam(net, images, TARGETS[:2], layer), M.relu() / (2 * 3)) < 1e-12


def test_map_is_zero_where_every_channel_speaks_against_the_class() -> None:
    net = GapNet().double()
    nn.init.constant_(net.classifier.weight[1], -1.0)
    assert (
        grad_cam(net, pictures(1, 3, 12, 8), torch.tensor([1]), "features").tolist() == torch.zeros(1, 12, 8).tolist()
    )


def test_output_before_an_in_place_relu_is_not_overwritten() -> None:
    images, plain, inplace = pictures(2, 3, 12, 8), GapNet().double(), GapNet(inplace=True).double()
    A, dA = activations_and_gradients(inplace, images, TARGETS[:2], "features.2")
    assert A.min() < 0
    for ours, expected in zip(
        (A, dA), activations_and_gradients(plain, images, TARGETS[:2], "features.2"), strict=True
    ):
        assert torch.equal(ours, expected)


def test_output_that_shares_memory_with_its_input_is_not_overwritten() -> None:
    class WritesBehindTheLayer(SquareOfSum):
        def forward(self, images: Tensor) -> Tensor:
            scores = super().forward(images)
            images.fill_(100)
            return scores

    images, targets = pictures(2, 2, 3, 4), torch.tensor([0, 1])
    A, _ = activations_and_gradients(WritesBehindTheLayer(), images, targets, "layer")
    assert torch.equal(A, images)


def test_layer_that_runs_twice_counts_with_its_last_output() -> None:
    net, images = FunctionalNet().double(), pictures(2, 3, 12, 8)
    expected = grad_cam(net, images, TARGETS[:2], "features")
    assert torch.equal(grad_cam(net, images, TARGETS[:2], "features.relu"), expected)


def test_one_forward_pass_and_a_graph_that_begins_at_the_layer() -> None:
    net = GapNet()
    runs, saved_before_layer, saved = [], [], []
    net.register_forward_pre_hook(lambda *_: runs.append(1))
    net.features[2].register_forward_hook(lambda *_: saved_before_layer.append(len(saved)))

    def pack(tensor: Tensor) -> Tensor:
        saved.append(tensor)
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        grad_cam(net, pictures(1, 3, 12, 8).float(), TARGETS[:1], "features.2")
    assert len(runs) == 1
    assert saved_before_layer == [0]
    assert saved


def test_network_that_runs_its_backbone_without_gradients_is_explained() -> None:
    class FrozenBackbone(GapNet):
        def forward(self, images: Tensor) -> Tensor:
            with torch.no_grad():
                maps = self.features(images)
            return self.classifier(maps.mean(dim=(2, 3)))

    images = pictures(2, 3, 12, 8)
    expected = grad_cam(GapNet().double(), images, TARGETS[:2], "features")
    assert relative(grad_cam(FrozenBackbone().double(), images, TARGETS[:2], "features"), expected) < 1e-12


def test_layer_whose_output_is_not_used_is_an_error() -> None:
    class Unused(GapNet):
        def forward(self, images: Tensor) -> Tensor:
            self.side(images)
            return super().forward(images)

    net = Unused()
    net.side = nn.Conv2d(3, 2, 1)
    with pytest.raises(ValueError, match="layer 'side': no gradient arrives from the score"):
        grad_cam(net, pictures(1, 3, 12, 8).float(), TARGETS[:1], "side")


def upsampled(maps: Tensor, H: int, W: int) -> Tensor:
    return F.interpolate(maps[:, None], size=(H, W), mode="bilinear", align_corners=False)[:, 0]


CAMERA_AND_TRIPOD = (58, 98, 224, 178)
"""Top, left, bottom, right in the photo shrunk to 224 pixels, read off the picture: camera above, legs to the edge."""


def test_camera_photo_points_at_the_camera_on_its_tripod() -> None:
    net = cnnviz.efficientnet_lite0()
    images, targets = cnnviz.preprocess(cnnviz.photo("camera")), torch.tensor([cnnviz.class_index("tripod")])
    L = upsampled(grad_cam(net, images, targets, "features"), 224, 224)[0]
    top, left, bottom, right = CAMERA_AND_TRIPOD
    row, column = divmod(int(L.argmax()), 224)
    assert top <= row < bottom
    assert left <= column < right
    assert L[top:bottom, left:right].mean() > 2 * L.mean()


@pytest.mark.parametrize("size", [112, 224])
def test_mosaic_map_is_largest_in_the_quadrant_of_its_class(size: int) -> None:
    mosaic = cnnviz.mosaic(["chelsea", "coffee", "camera", "rocket"], size)
    images = cnnviz.preprocess(mosaic.image, 2 * size).expand(4, -1, -1, -1)
    maps = grad_cam(cnnviz.efficientnet_lite0(), images, mosaic.targets, "features")
    for n, L in enumerate(upsampled(maps, *mosaic.image.shape[1:])):
        means = [float(L[t:b, l:r].mean()) for t, l, b, r in mosaic.quadrants.tolist()]
        assert means.index(max(means)) == n, f"{mosaic.names[n]}: means {means}"

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import grad_cam, guided_backprop, guided_grad_cam
from cnnviz_ref.guided_grad_cam import guided_and_clean, upsampled

TARGETS = torch.tensor([3, 0])
CASES = [
    (lambda: GapNet(stride=2), "features"),
    (lambda: GapNet(inplace=True), "features.0"),
    (FlattenNet, "features"),
    (FlattenNet, "features.0"),
    (BatchNormNet, "features.1"),
    (FunctionalNet, "features.conv2"),
    (FunctionalNet, "features.relu"),
]


def example() -> Tensor:
    return torch.randn(2, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize(("build", "layer"), CASES)
def test_is_the_product_of_its_two_factors(build: Callable[[], nn.Module], layer: str) -> None:
    net, images = build().double(), example()
    L = F.interpolate(grad_cam(net, images, TARGETS, layer)[:, None], (12, 8), mode="bilinear", align_corners=False)
    expected = guided_backprop(net, images, TARGETS) * L
    ours = guided_grad_cam(net, images, TARGETS, layer)
    assert expected.abs().max() > 0
    assert (ours - expected).abs().max() <= 1e-12 * expected.abs().max()


def test_grad_cam_gradients_are_not_the_guided_ones() -> None:
    net, images = FlattenNet().double(), example()
    _, A, dA = guided_and_clean(net, images, TARGETS, "features.0")
    a = net.features[0](images).detach()
    leaf = a.clone().requires_grad_()
    y = net.classifier(net.pool(net.features[1:](leaf)).flatten(1))[range(2), TARGETS].sum()
    assert torch.equal(A, a)
    torch.testing.assert_close(dA, torch.autograd.grad(y, leaf)[0], rtol=1e-12, atol=0)


def test_one_forward_pass_serves_both_factors() -> None:
    net, images = GapNet().double(), example()
    passes: list[None] = []
    net.features[0].register_forward_hook(lambda *_: passes.append(None))
    guided_grad_cam(net, images, TARGETS, "features")
    assert len(passes) == 1


def slow_bilinear(L: list[list[float]], H: int, W: int) -> list[list[float]]:
    """Each pixel's centre, in the layer's grid, is a weighted mean of the four cells around it."""
    h, w = len(L), len(L[0])

    def cells(i: int, big: int, small: int) -> tuple[int, int, float]:
        at = min(max((i + 0.5) * small / big - 0.5, 0), small - 1)
        first = min(int(at), small - 1)
        return first, min(first + 1, small - 1), at - first

    result = [[0.0] * W for _ in range(H)]
    for i in range(H):
        for j in range(W):
            (top, bottom, down), (left, right, across) = cells(i, H, h), cells(j, W, w)
            upper = (1 - across) * L[top][left] + across * L[top][right]
            lower = (1 - across) * L[bottom][left] + across * L[bottom][right]
            result[i][j] = (1 - down) * upper + down * lower
    return result


@pytest.mark.parametrize("size", [(4, 6), (5, 9), (2, 3), (1, 7)])
def test_upsampling_equals_the_weighted_means(size: tuple[int, int]) -> None:
    L = torch.randn(1, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    expected = torch.tensor(slow_bilinear(L[0].tolist(), *size), dtype=torch.float64)
    torch.testing.assert_close(upsampled(L, size)[0], expected)


def test_is_zero_where_grad_cam_is() -> None:
    net = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(4, 1, bias=False)).double()
    net[2].weight.data.fill_(-1.0)
    image = torch.rand(1, 1, 2, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert not guided_grad_cam(net, image, torch.tensor([0]), "0").any()


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ("feature", "layer: got 'feature', but the model's layers are"),
        ("classifier", "layer 'classifier': gives [2, 5], needs maps [N K h w]"),
        ("spare", "layer 'spare' did not run in the model's forward pass"),
    ],
)
def test_layers_that_do_not_fit(layer: str, sentence: str) -> None:
    net = GapNet().double()
    net.spare = nn.Conv2d(3, 3, 1)
    with pytest.raises(ValueError) as error:  # noqa: PT011
        guided_grad_cam(net, example(), TARGETS, layer)
    assert str(error.value).startswith(sentence)


def test_layer_beside_the_scores_is_refused() -> None:
    class Beside(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.aside, self.net = nn.Conv2d(3, 2, 1).double(), GapNet().double()

        def forward(self, x: Tensor) -> Tensor:
            self.aside(x)
            return self.net(x)

    with pytest.raises(ValueError, match="layer 'aside': no gradient arrives from the score"):
        guided_grad_cam(Beside(), example(), TARGETS, "aside")

"""Maximum patches by hand, by a slow second way, and by the law of the receptive field."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import activations
from cnnviz_ref.max_patches import cut, max_patches
from cnnviz_ref.receptive_field import receptive_field


def pictures(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_brightest_pairs_by_hand() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, (1, 2), padding=(0, 1), bias=False), nn.Flatten())
    net[0].weight.data.copy_(torch.tensor([[[[1.0, 2.0]]], [[[-1.0, 0.0]]]]))
    images = torch.tensor([[[[1.0, 3.0, 2.0]]], [[[9.0, 0.0, 0.0]]], [[[1.0, 0.0, 9.0]]]])
    # channel 0 sees left + 2 right, from one pixel before the image: 2 7 7 2, 18 9 0 0, 2 1 18 9
    found = max_patches(net, images, "0", 0, k=3)
    assert found.scores.tolist() == [18, 18, 7]  # equal ones by index
    assert found.boxes.tolist() == [[1, 0, -1, 1, 1], [2, 0, 1, 1, 3], [0, 0, 0, 1, 2]]  # of two sevens the first
    assert found.pixels.tolist() == [[[[0, 9]]], [[[0, 9]]], [[[1, 3]]]]
    # channel 1 is minus the left one: 0 from the padding, before the first pixel
    found = max_patches(net, images, "0", 1, k=1)
    assert (found.scores.tolist(), found.boxes.tolist(), found.pixels.tolist()) == (
        [0],
        [[0, 0, -1, 1, 1]],
        [[[[0, 1]]]],
    )


def test_a_patch_is_zero_beyond_each_border() -> None:
    image = torch.arange(1.0, 7).view(1, 2, 3)
    assert cut(image, (-1, -1, 1, 2)).tolist() == [[[0, 0, 0], [0, 1, 2]]]
    assert cut(image, (1, 2, 3, 4)).tolist() == [[[6, 0], [0, 0]]]
    assert cut(image, (0, 0, 2, 3)).tolist() == image.tolist()
    assert cut(image, (2, 0, 3, 1)).tolist() == [[[0]]]


def slow_max_patches(net: nn.Module, images: Tensor, layer: str, channel: int, k: int) -> tuple[Tensor, list, list]:
    """Place by place in one image after the other; patches from images with a wide border of zeros."""
    best = []
    for n, image in enumerate(images):
        A = activations(net, image[None], layer)[0, channel]
        s, i, j = max((A[i, j].item(), -i, -j) for i in range(A.shape[0]) for j in range(A.shape[1]))
        best.append((-s, n, -i, -j))
    best = sorted(best)[:k]
    patches, boxes = [], []
    for _, n, i, j in best:
        box = receptive_field(net, layer, size=tuple(images.shape[1:])).box(i, j)
        padded = nn.functional.pad(images[n], (200, 200, 200, 200))
        patches.append(padded[:, box[0] + 200 : box[2] + 200, box[1] + 200 : box[3] + 200])
        boxes.append([n, *box])
    return torch.stack(patches), [-s for s, *_ in best], boxes


@pytest.mark.parametrize("layer", ["features.0", "features.2", "features"])
@pytest.mark.parametrize("net", [GapNet(stride=2), FlattenNet(), BatchNormNet()], ids=lambda net: type(net).__name__)
def test_equals_place_by_place(net: nn.Module, layer: str) -> None:
    net, images = net.double(), pictures(5, 3, 12, 8)
    for channel in (0, 3):
        found = max_patches(net, images, layer, channel, k=4)
        pixels, scores, boxes = slow_max_patches(net, images, layer, channel, 4)
        assert torch.equal(found.pixels, pixels)
        assert found.boxes.tolist() == boxes
        assert (found.scores - torch.tensor(scores, dtype=torch.float64)).abs().max() < 1e-12


@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.integers(-2, 2), min_size=12, max_size=12), k=st.integers(1, 3), chunk=st.integers(1, 4))
def test_law_ties_go_to_the_lowest_image_and_the_first_place(values: list[int], k: int, chunk: int) -> None:
    images = torch.tensor(values, dtype=torch.float64).view(3, 1, 2, 2)
    found = max_patches(nn.Sequential(nn.Identity(), nn.Flatten()), images, "0", 0, k=k, chunk=chunk)
    flat = images.flatten(1).tolist()
    order = sorted(range(3), key=lambda n: (-max(flat[n]), n))[:k]
    assert found.boxes[:, 0].tolist() == order
    for n, top, left, bottom, right in found.boxes.tolist():
        assert 2 * top + left == flat[n].index(max(flat[n]))
        assert (bottom, right) == (top + 1, left + 1)


def test_many_equal_scores_keep_the_order_of_the_images() -> None:
    images = (torch.arange(200) % 3).double().view(200, 1, 1, 1)
    found = max_patches(nn.Sequential(nn.Identity(), nn.Flatten()), images, "0", 0, k=150, chunk=64)
    assert found.boxes[:, 0].tolist() == [*range(2, 200, 3), *range(1, 200, 3), *range(0, 200, 3)][:150]


@cache
def network(name: str, **options: object) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return torchvision.models.get_model(name, weights=None, num_classes=5, **options).eval().double()


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, int, int], tuple[str, ...]]] = {
    "gap": (lambda: GapNet(stride=2).double(), (3, 12, 8), ("features.0", "features")),
    "functional": (lambda: FunctionalNet().double(), (3, 12, 8), ("features.conv2", "features.relu")),
    "digit_net": (lambda: cnnviz.digit_net().double(), (1, 64, 48), ("features.block3", "features")),
    "resnet18": (partial(network, "resnet18"), (3, 64, 80), ("layer1.0", "layer1.1.conv1", "layer2.0")),
    "googlenet": (
        partial(network, "googlenet", aux_logits=False, init_weights=False),
        (3, 64, 80),
        ("inception3a.branch1", "inception3a.branch3", "inception3a"),
    ),
    "squeezenet1_0": (partial(network, "squeezenet1_0"), (3, 64, 80), ("features.3.expand3x3", "features.5")),
    "mobilenet_v2": (partial(network, "mobilenet_v2"), (3, 64, 80), ("features.4", "features.6.conv.1")),
}


@pytest.mark.parametrize(("name", "layer"), [(name, layer) for name, row in NETWORKS.items() for layer in row[2]])
def test_law_pixels_outside_the_patch_leave_the_activation_bitwise_unchanged(name: str, layer: str) -> None:
    build, size, _ = NETWORKS[name]
    net, images = build(), pictures(3, *size)
    alive = activations(net, images[:1], layer)[0].flatten(1).std(dim=1).topk(2).indices
    for channel in alive.tolist():
        found = max_patches(net, images, layer, channel, k=2, chunk=1)
        for score, (n, top, left, bottom, right) in zip(found.scores, found.boxes.tolist(), strict=True):
            other = 3 * pictures(1, *size, seed=7)
            inside = (..., slice(max(top, 0), bottom), slice(max(left, 0), right))
            other[inside] = images[n : n + 1][inside]
            assert not torch.equal(other, images[n : n + 1])  # the patch is smaller than the image
            before, after = (activations(net, x, layer)[0, channel] for x in (images[n : n + 1], other))
            i, j = divmod(int(before.argmax()), before.shape[1])
            assert before[i, j] == score
            assert torch.equal(after[i, j], before[i, j])
            assert not torch.equal(after, before)


def test_a_layer_behind_global_pooling_gives_the_whole_image() -> None:
    images = pictures(2, 3, 12, 8)
    found = max_patches(GapNet().double(), images, "pool", 1, k=2)
    assert torch.equal(found.pixels, images[found.boxes[:, 0]])
    assert found.boxes[:, 1:].tolist() == [[0, 0, 12, 8]] * 2


class Counting(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.sizes = net, []

    def forward(self, images: Tensor) -> Tensor:
        self.sizes.append(len(images))
        return self.net(images)


def test_chunk_bounds_the_batch_and_does_not_change_the_patches() -> None:
    images = pictures(5, 3, 12, 8)
    expected = max_patches(GapNet().double(), images, "features", 1, k=5, chunk=100)
    for chunk in (1, 2):
        model = Counting(GapNet().double())
        found = max_patches(model, images, "net.features", 1, k=5, chunk=chunk)
        assert max(model.sizes) <= chunk
        assert torch.equal(found.pixels, expected.pixels)
        assert torch.equal(found.boxes, expected.boxes)
        assert (found.scores - expected.scores).abs().max() < 1e-12


@pytest.mark.parametrize(
    ("layer", "channel", "options", "sentence"),
    [
        ("features", 0, {"k": 4}, "k: got 4, but there are 3 images, one patch each; choose from 1 to 3."),
        ("features", 0, {"k": 0}, "k: got 0, but there are 3 images, one patch each; choose from 1 to 3."),
        ("features", 0, {"k": 1.5}, "k: got 1.5, but there are 3 images, one patch each; choose from 1 to 3."),
        ("features", 6, {}, "channel: got 6, but layer 'features' has channels 0 to 5; choose there."),
        ("features", -1, {}, "channel: got -1, but layer 'features' has channels 0 to 5; choose there."),
        ("features", 0.0, {}, "channel: got 0.0, but layer 'features' has channels 0 to 5; choose there."),
        ("features", 0, {"chunk": 0}, "chunk: got 0, needs a whole number from 1; try 16."),
        (
            "classifier",
            0,
            {},
            "layer 'classifier': gives [3, 5], needs maps [N K h w]; choose the last layer before pooling.",
        ),
    ],
)
def test_bad_options_are_refused(layer: str, channel: int, options: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        max_patches(GapNet(), torch.zeros(3, 3, 12, 8), layer, channel, **{"k": 2, **options})
    assert str(error.value) == sentence


def test_images_that_do_not_fit_and_layers_that_are_not_there_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^images: got shape \[3, 12, 8\], needs \[N C H W\]"):
        max_patches(GapNet(), torch.zeros(3, 12, 8), "features", 0, k=1)
    with pytest.raises(ValueError, match=r"^layer: got 'feature', but the model's layers are"):
        max_patches(GapNet(), torch.zeros(3, 3, 12, 8), "feature", 0, k=1)

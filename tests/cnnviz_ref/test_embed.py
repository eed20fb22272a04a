"""Embedding against hand computation and against the layers run one by one."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnnviz.small_nets import BatchNormNet, FlattenNet, GapNet
from cnnviz_ref import activations, embed
from cnnviz_ref.embed import image_rows

IMAGES = torch.randn(3, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_two_channels_by_hand() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, (1, 2)), nn.ReLU(inplace=True), nn.Flatten())
    net[0].weight.data.copy_(torch.tensor([[[[1.0, -1.0]]], [[[0.0, 2.0]]]]))
    net[0].bias.data.copy_(torch.tensor([0.0, 1.0]))
    image = torch.tensor([[[[1.0, 4.0, 2.0]]]])  # maps [-3 2] and [9 5]
    assert embed(net, image, "0").tolist() == [[-0.5, 7]]
    assert embed(net, image, "1").tolist() == [[1, 7]]
    assert embed(net, image, "2").tolist() == [[0, 2, 9, 5]]


def slow_rows(output: Tensor) -> list[list[float]]:
    """One number at a time."""
    rows = []
    for sample in output:
        maps = list(sample) if output.ndim == 4 else [value[None, None] for value in sample.flatten()]
        rows.append([sum(float(a) for a in each.flatten()) / each.numel() for each in maps])
    return rows


@pytest.mark.parametrize("layer", ["features.0", "features.2", "pool", "classifier.0", "classifier"])
def test_equals_the_layers_run_one_by_one(layer: str) -> None:
    net = FlattenNet().double()
    kept: list[Tensor] = []
    handle = net.get_submodule(layer).register_forward_hook(lambda _m, _i, output: kept.append(output.detach()))
    net(IMAGES)
    handle.remove()
    expected = torch.tensor(slow_rows(kept[0]), dtype=torch.float64)
    assert (embed(net, IMAGES, layer) - expected).abs().max() < 1e-14


def test_law_the_classifier_on_the_embedding_gives_the_scores() -> None:
    net = GapNet(stride=2).double()
    x = embed(net, IMAGES, "features")
    assert x.shape == (3, 6)
    assert (net.classifier(x) - net(IMAGES)).abs().max() < 1e-14
    assert torch.equal(embed(net, IMAGES, "classifier"), net(IMAGES).detach())


def test_law_a_row_is_the_mean_of_the_activations() -> None:
    net = BatchNormNet().double().train()
    assert torch.equal(embed(net, IMAGES, "features.1"), activations(net, IMAGES, "features.1").mean(dim=(2, 3)))


def test_parts_of_a_data_set_embed_like_the_whole() -> None:
    net = FlattenNet().double()
    parts = torch.cat([embed(net, part, "features") for part in IMAGES.split(2)])
    assert (parts - embed(net, IMAGES, "features")).abs().max() < 1e-14


def test_what_is_not_a_map_is_flattened() -> None:
    tokens = torch.arange(12.0).view(2, 2, 3)
    assert image_rows(tokens).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]


class MergesTheBatch(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.merged, self.one_number = nn.Identity(), nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        self.merged(images.flatten(0, 1))
        self.one_number(images.sum(dim=(1, 2, 3)))
        return images.flatten(1)


@pytest.mark.parametrize(("layer", "shape"), [("merged", "[9, 12, 8]"), ("one_number", "[3]")])
def test_layers_without_a_row_for_each_image_are_refused(layer: str, shape: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        embed(MergesTheBatch(), IMAGES, layer)
    assert str(error.value) == (
        f"layer '{layer}': gives {shape}, needs [N ...] for N = 3; choose a layer that gives something for each image."
    )


def test_unknown_layers_and_images_with_nan_are_refused() -> None:
    net = GapNet().double()
    with pytest.raises(ValueError, match=r"^layer: got 'feature', but the model's layers are features, pool"):
        embed(net, IMAGES, "feature")
    with pytest.raises(ValueError, match=r"^images: got NaN or infinity, needs finite values"):
        embed(net, IMAGES * torch.nan, "features")

"""Networks and images that do not fit: a sentence with what was got and the next step, never torch's error alone."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.small_nets import GapNet
from cnnviz_ref import METHODS, Method, class_visualization, convert_to_cam, embed, max_patches, saliency

TARGETS = torch.tensor([3, 0])
IMAGES = torch.randn(2, 3, 12, 8, generator=torch.Generator().manual_seed(1))
RUNNING = [m for m in METHODS if m.runs == "scores"]
GIVEN = [m for m in RUNNING if m.name != "class_visualization"]
every_method = pytest.mark.parametrize("method", METHODS, ids=[m.name for m in METHODS])
on_images = pytest.mark.parametrize("method", GIVEN, ids=[m.name for m in GIVEN])


class Flat(nn.Module):
    """Made for images of one size."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4 * 12 * 8, 5)

    def forward(self, images: Tensor) -> Tensor:
        return self.fc(self.features(images).relu().flatten(1))


@on_images
@pytest.mark.parametrize(
    ("shape", "place"),
    [((2, 4, 12, 8), r"module 'features' \(Conv2d\)"), ((2, 3, 14, 8), r"module 'fc' \(Linear\)")],
    ids=["channels", "size"],
)
def test_images_of_another_shape_are_told_where_they_failed(method: Method, shape: tuple, place: str) -> None:
    sentence = rf"^images: got \[\d, .*\] torch.float32, but the model fails on them at {place} \(RuntimeError: .*\);"
    with pytest.raises(ValueError, match=sentence) as error:
        method.call(Flat(), torch.rand(shape), TARGETS, "features")
    assert str(error.value).endswith("give images of the channels and the size that it was made for.")
    assert isinstance(error.value.__cause__, RuntimeError)


@on_images
def test_an_image_that_is_too_small_is_a_sentence(method: Method) -> None:
    net = nn.Sequential(OrderedDict(features=nn.Conv2d(3, 4, 7), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()))
    with pytest.raises(
        ValueError, match=r"^images: got .* but the model fails on them at module 'features' \(Conv2d\)"
    ):
        method.call(net, torch.rand(2, 3, 5, 5), TARGETS, "features")


def test_errors_of_the_users_own_kind_stay() -> None:
    class Mine(Exception):
        pass

    class Raising(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            raise Mine

    with pytest.raises(Mine):
        saliency(Raising(), IMAGES, TARGETS)


@every_method
def test_lazy_weights_are_named(method: Method) -> None:
    net = nn.Sequential(nn.LazyConv2d(4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(5))
    with pytest.raises(
        ValueError, match=r"^model: its weight '0.weight' has no size before a first image; run model\("
    ):
        method.call(net, IMAGES, TARGETS, "0")


@pytest.mark.parametrize("method", [m for m in METHODS if m.name != "filters"], ids=lambda m: m.name)
def test_weights_on_the_meta_device_are_named(method: Method) -> None:
    with pytest.raises(ValueError, match=r"^model: its weight 'features.0.weight' is on the meta device, .*to_empty"):
        method.call(GapNet().to("meta"), IMAGES, TARGETS, "features")


def test_weights_made_in_inference_mode_are_told_from_bad_images() -> None:
    with torch.inference_mode():
        net = GapNet()
    with pytest.raises(ValueError, match=r"^model: its weights were made under torch.inference_mode, .* outside of it"):
        saliency(net, IMAGES, TARGETS)
    assert torch.equal(embed(net, IMAGES, "features"), embed(GapNet(), IMAGES, "features"))


@every_method
def test_a_data_parallel_wrapper_works_on_one_device_and_is_refused_on_several(method: Method) -> None:
    net = nn.DataParallel(GapNet())
    expected = method.call(GapNet(), IMAGES, TARGETS, "features")
    assert torch.equal(method.call(net, IMAGES, TARGETS, "module.features"), expected)
    net.device_ids = [0, 1]
    with pytest.raises(ValueError, match=r"^model: is DataParallel over devices \[0, 1\], needs one; .*\.module\.$"):
        method.call(net, IMAGES, TARGETS, "module.features")


@on_images
@pytest.mark.parametrize("kind", [tuple, list, lambda pair: {"out": pair[0]}], ids=["tuple", "list", "dict"])
def test_outputs_that_are_no_tensor_are_named(method: Method, kind: type) -> None:
    class Several(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = GapNet()

        def forward(self, images: Tensor) -> object:
            scores = self.net(images)
            return kind([scores, scores])

    got = "dict" if kind not in (tuple, list) else kind.__name__
    with pytest.raises(ValueError, match=rf"^model: returns {got}, needs scores \[N classes\] for N = \d+; wrap it to"):
        method.call(Several(), IMAGES, TARGETS, "net.features")


@pytest.mark.parametrize("groups", [1, 3])
def test_channels_are_those_of_the_convolution_that_sees_the_image(groups: int) -> None:
    class LateFirst(nn.Module):
        """Its list of layers begins with one that runs late, and one that never runs."""

        def __init__(self) -> None:
            super().__init__()
            self.auxiliary = nn.Conv2d(8, 5, 1)
            self.unused = nn.Conv2d(1, 5, 1)
            self.head = nn.Conv2d(6, 5, 1)
            self.stem = nn.Conv2d(3, 6, 3, groups=groups)

        def forward(self, images: Tensor) -> Tensor:
            return self.head(self.stem(images).relu()).mean(dim=(2, 3))

    net = LateFirst()
    assert class_visualization(net, 0, size=(6, 5), steps=1).shape == (3, 6, 5)
    assert convert_to_cam(net, "stem")(torch.rand(1, 3, 6, 5)).shape == (1, 5)


@pytest.mark.parametrize("C", [1, 2, 3, 5])
def test_channels_are_found_by_what_runs(C: int) -> None:
    kernel = torch.randn(4, C, 3, 3)
    for net in (
        nn.Sequential(nn.Flatten(), nn.Linear(C * 6 * 5, 5)),
        nn.Sequential(Scaled(C), nn.Conv2d(C, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
        nn.Sequential(Convolved(kernel), nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    ):
        assert class_visualization(net, 0, size=(6, 5), steps=1).shape == (C, 6, 5)
        assert class_visualization(net, 0, size=(6, 5), channels=C, steps=1).shape == (C, 6, 5)


class Scaled(nn.Module):
    """Broadcasts one channel to many before any layer sees it."""

    def __init__(self, C: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.rand(C, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return images - self.mean


class Convolved(nn.Module):
    """A convolution that is no module."""

    def __init__(self, kernel: Tensor) -> None:
        super().__init__()
        self.kernel = nn.Parameter(kernel)

    def forward(self, images: Tensor) -> Tensor:
        return F.conv2d(images, self.kernel)


def test_a_size_with_which_no_number_of_channels_runs_is_a_sentence() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 7), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    sentence = (
        r"^size: got 5 x 4, but no blank image of that size goes through the model \(.*Kernel size.*\); choose the"
    )
    with pytest.raises(ValueError, match=sentence):
        class_visualization(net, 0, size=(5, 4), steps=1)
    with pytest.raises(ValueError, match=r"^channels: got 0, needs a whole number from 1; 3 is red, green and blue\.$"):
        class_visualization(net, 0, channels=0)


def test_a_field_of_twice_the_image_is_the_image() -> None:
    net = nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=8, dilation=8) for _ in range(400)], nn.Flatten())
    for weight in net.parameters():
        nn.init.constant_(weight, 0.4)
    found = max_patches(net, torch.rand(2, 1, 20, 16), "399", 0, k=2)
    assert found.pixels.shape == (2, 1, 20, 16)
    assert found.boxes[:, 1:].tolist() == [[0, 0, 20, 16]] * 2


def test_a_field_of_less_than_twice_the_image_is_cut_as_it_is() -> None:
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=8, dilation=8), nn.Flatten())
    found = max_patches(net, torch.rand(2, 1, 12, 8), "0", 0, k=2)
    assert found.pixels.shape == (2, 1, 17, 8)

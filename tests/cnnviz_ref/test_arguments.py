"""Bad arguments: one sentence with the argument, what was got, what is allowed, and the next step."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cnnviz.small_nets import FlattenNet, GapNet
from cnnviz_ref import METHODS, Method, cam, convert_to_cam, grad_cam
from cnnviz_ref.cam import head_weights

IMAGES = torch.zeros(2, 3, 12, 8)
TARGETS = torch.tensor([3, 0])

map_methods = pytest.mark.parametrize("method", [cam, grad_cam])


@map_methods
@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (IMAGES.numpy(), "images: got ndarray, needs a tensor [N C H W]"),
        (IMAGES[0], "images: got shape [3, 12, 8], needs [N C H W]; one image is images[None]."),
        (IMAGES[:0], "images: got shape [0, 3, 12, 8], needs [N C H W]"),
        (IMAGES.byte(), "images: got torch.uint8, needs floats; convert with images.float()"),
        (IMAGES / 0, "images: got NaN or infinity, needs finite values"),
        ((IMAGES + 1) / 0, "images: got NaN or infinity, needs finite values"),
        (IMAGES.double(), "images: got torch.float64, but the model is torch.float32; use images.to(torch.float32)."),
        (IMAGES.to("meta"), "images: are on meta, the model on cpu; use images.to('cpu')."),
    ],
)
def test_images_that_do_not_fit(method: Callable[..., Tensor], images: Tensor, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        method(GapNet(), images, TARGETS, "features")
    assert str(error.value).startswith(sentence)


def takes(argument: str) -> pytest.MarkDecorator:
    """Every method of the table with an argument of that name."""
    methods = [m for m in METHODS if argument in inspect.signature(m.function).parameters]
    return pytest.mark.parametrize("method", methods, ids=[m.name for m in methods])


@takes("images")
@pytest.mark.parametrize(
    "images", [IMAGES[0], IMAGES.byte(), IMAGES / 0, IMAGES.double()], ids=["rank", "integers", "NaN", "dtype"]
)
def test_every_method_refuses_such_images(method: Method, images: Tensor) -> None:
    with pytest.raises(ValueError, match=r"^images: got .*(needs|but) .*; .*\.$"):
        method.call(GapNet(), images, TARGETS, "features")


@takes("targets")
@pytest.mark.parametrize(
    "targets", [TARGETS + 2, TARGETS - 1, TARGETS[:1], TARGETS.int()], ids=["large", "negative", "few", "int32"]
)
def test_every_method_refuses_such_targets(method: Method, targets: Tensor) -> None:
    with pytest.raises(ValueError, match=r"^targets: got .*(needs|but) .*; .*\.$"):
        method.call(GapNet(), IMAGES, targets, "features")


@takes("layer")
def test_every_method_lists_the_layers_for_an_unknown_one(method: Method) -> None:
    if method.name != "filters":  # its call chooses the layer
        with pytest.raises(ValueError, match=r"^layer: got 'feature', but the model's layers are .*'features'"):
            method.call(GapNet(), IMAGES, TARGETS, "feature")


@map_methods
@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        (None, "targets: got NoneType, needs one class or an int64 tensor [N]; use torch.tensor."),
        (5, "targets: got [5, 5], but the model has classes 0 to 4; choose there."),
        (TARGETS[:1], "targets: got torch.int64 [1], needs torch.int64 [2]; give one class index an image."),
        (TARGETS.int(), "targets: got torch.int32 [2], needs torch.int64 [2]"),
        (torch.tensor(3), "targets: got torch.int64 [], needs torch.int64 [2]"),
        (TARGETS + 2, "targets: got [5, 2], but the model has classes 0 to 4; choose there."),
        (TARGETS - 1, "targets: got [2, -1], but the model has classes 0 to 4"),
    ],
)
def test_targets_that_do_not_fit(method: Callable[..., Tensor], targets: Tensor, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        method(GapNet(), IMAGES, targets, "features")
    assert str(error.value).startswith(sentence)


LAYERS = "features, pool, classifier, features.0, features.1, features.2, features.3"


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        ("feature", f"layer: got 'feature', but the model's layers are {LAYERS}; did you mean 'features'?"),
        ("features.9", f"layer: got 'features.9', but the model's layers are {LAYERS}; did you mean"),
        ("", f"layer: got '', but the model's layers are {LAYERS}; choose one of them."),
        (3, f"layer: got 3, but the model's layers are {LAYERS}; choose one of them."),
        (nn.ReLU(), "layer: got a ReLU that is not inside the model; pass one of the model's own, or its name."),
    ],
)
def test_unknown_layer_lists_the_layers(layer: str, sentence: str) -> None:
    for call in (
        lambda: cam(GapNet(), IMAGES, TARGETS, layer),
        lambda: grad_cam(GapNet(), IMAGES, TARGETS, layer),
        lambda: convert_to_cam(GapNet(), layer),
    ):
        with pytest.raises(ValueError) as error:  # noqa: PT011
            call()
        assert str(error.value).startswith(sentence)


def test_a_long_list_of_layers_is_cut() -> None:
    net = nn.Sequential(*[nn.Identity() for _ in range(50)])
    with pytest.raises(ValueError, match=r"layers are 0, 1, 2, .*, 39 and 10 more inside these; choose one of them\.$"):
        grad_cam(net, IMAGES, TARGETS, "conv")


@map_methods
def test_layer_without_maps(method: Callable[..., Tensor]) -> None:
    sentence = r"layer 'classifier': gives \[2, 5\], needs maps \[N K h w\]; choose the last layer before pooling\."
    with pytest.raises(ValueError, match=sentence):
        method(GapNet(), IMAGES, TARGETS, "classifier")


class Unused(GapNet):
    def __init__(self) -> None:
        super().__init__()
        self.side = nn.Conv2d(3, 2, 1)


def test_layer_that_does_not_run() -> None:
    sentence = "layer 'side' did not run in the model's forward pass; choose a layer that runs."
    for call in (
        lambda: cam(Unused(), IMAGES, TARGETS, "side"),
        lambda: grad_cam(Unused(), IMAGES, TARGETS, "side"),
        lambda: convert_to_cam(Unused(), "side"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()


class Pair(nn.Module):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return images, images


@map_methods
def test_layer_and_model_that_give_something_else_than_a_tensor(method: Callable[..., Tensor]) -> None:
    with pytest.raises(ValueError, match="layer '0': gives tuple, needs to give one float tensor; choose a layer"):
        method(nn.Sequential(Pair()), IMAGES, TARGETS, "0")
    with pytest.raises(ValueError, match=r"model: returns tuple, needs scores \[N classes\] for N = 2; wrap it"):
        method(nn.Sequential(nn.Identity(), Pair()), IMAGES, TARGETS, "0")
    with pytest.raises(ValueError, match=r"model: returns \[2, 3, 12, 8\], needs scores \[N classes\] for N = 2"):
        method(nn.Sequential(nn.Identity()), IMAGES, TARGETS, "0")
    with pytest.raises(ValueError, match=r"model: got function, needs a torch\.nn\.Module; pass the network itself\."):
        method(lambda images: images, IMAGES, TARGETS, "0")


def test_model_without_gap_is_sent_to_convert_to_cam() -> None:
    sentence = (
        r"^model: its scores are not one linear layer of the averages of layer 'features', which CAM needs; choose the "
        r"layer that is pooled, or make such a network with convert_to_cam\(model, 'features'\) and retrain it\.$"
    )
    with pytest.raises(ValueError, match=sentence):
        cam(FlattenNet().double(), torch.rand(2, 3, 12, 8, dtype=torch.float64), TARGETS, "features")
    assert callable(head_weights)


def test_convert_to_cam_says_why_a_model_cannot_be_converted() -> None:
    with pytest.raises(ValueError, match=r"model: has no convolution, needs one to make maps; pass a convolutional"):
        convert_to_cam(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), "0")
    with pytest.raises(ValueError, match=r"layer 'classifier.0': a blank 224 x 224 image did not get there .*; choose"):
        convert_to_cam(FlattenNet(), "classifier.0")
    with pytest.raises(ValueError, match=r"layer 'classifier': gives \[1, 5\], needs maps"):
        convert_to_cam(GapNet(), "classifier")

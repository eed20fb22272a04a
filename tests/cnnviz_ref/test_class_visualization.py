"""Class visualization against closed forms, finite differences, and a trained network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import cnnviz
from cnnviz.small_nets import BatchNormNet, FlattenNet, GapNet
from cnnviz_ref import class_visualization
from cnnviz_ref.class_visualization import ascent_step, objective, starting_image


def linear_net(*, bias: bool = True) -> nn.Module:
    """y = W I + b on images [2 3 2]."""
    generator = torch.Generator().manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 3, bias=bias)).double()
    for parameter in net.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return net


def relative(ours: Tensor, expected: Tensor) -> float:
    return float((ours - expected).abs().max() / expected.abs().max())


@pytest.mark.parametrize("target", [0, 2])
@pytest.mark.parametrize("seed", [0, 1])
def test_linear_model_converges_to_w_over_2_lambda_from_any_start(target: int, seed: int) -> None:
    net = linear_net()
    I = class_visualization(net, target, size=(3, 2), steps=400, lr=0.5, l2=0.1, seed=seed)
    assert relative(I, net[1].weight[target].detach().reshape(2, 3, 2) / (2 * 0.1)) < 1e-12


def test_linear_model_takes_the_exact_step() -> None:
    net, lr, l2 = linear_net(), 0.3, 0.2
    w = net[1].weight[1].detach().reshape(2, 3, 2)
    I = starting_image(net, (3, 2), seed=5)
    for steps in range(4):
        assert relative(class_visualization(net, 1, size=(3, 2), steps=steps, lr=lr, l2=l2, seed=5), I) < 1e-14
        I = (1 - 2 * lr * l2) * I + lr * w


def test_objective_and_step_by_hand() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(2, 2))
    net[1].weight.data = torch.tensor([[1.0, -2.0], [0.0, 4.0]])
    net[1].bias.data = torch.tensor([5.0, 6.0])
    I = torch.tensor([[[2.0, 1.0]]])
    # y = (2 - 2 + 5, 4 + 6); ||I||^2 = 5; dJ/dI for class 1 = (0, 4) - 2 * 0.5 * (2, 1)
    assert objective(net, I, 0, l2=0.5).item() == 5 - 2.5
    assert objective(net, I, 1, l2=0.5).item() == 10 - 2.5
    assert ascent_step(net, I, 1, lr=0.5, l2=0.5).tolist() == [[[1.0, 2.5]]]


@pytest.mark.parametrize("net", [GapNet(), FlattenNet(size=(6, 4)), BatchNormNet()], ids=lambda net: type(net).__name__)
def test_equals_finite_differences_written_from_the_paper(net: nn.Module) -> None:
    net, target, lr, l2, eps = net.double(), 2, 0.4, 0.3, 1e-6

    def J(I: Tensor) -> float:
        return net(I[None])[0, target].item() - l2 * sum(float(pixel) ** 2 for pixel in I.flatten())

    I = starting_image(net, (6, 4), seed=0)
    for _ in range(2):
        step = torch.zeros_like(I)
        for index in range(I.numel()):
            change = torch.zeros_like(I)
            change.view(-1)[index] = eps
            step.view(-1)[index] = (J(I + change) - J(I - change)) / (2 * eps)
        I = I + lr * step
    assert relative(class_visualization(net, target, size=(6, 4), steps=2, lr=lr, l2=l2), I) < 1e-6


def test_score_rises_and_the_norm_falls_with_lambda() -> None:
    net = GapNet()
    images = [class_visualization(net, 1, size=8, steps=30, lr=0.5, l2=l2) for l2 in (0.0, 0.02, 0.1)]
    start = starting_image(net, 8, seed=0)
    assert all(net(I[None])[0, 1] > net(start[None])[0, 1] for I in images)
    norms = [float(I.norm()) for I in images]
    assert norms == sorted(norms, reverse=True)


def test_start_depends_on_the_seed_alone_and_not_on_the_global_generator() -> None:
    net = GapNet()
    before = torch.get_rng_state()
    first = class_visualization(net, 0, size=(5, 7), steps=0, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert torch.equal(class_visualization(net, 0, size=(5, 7), steps=0, seed=3), first)
    assert not torch.equal(class_visualization(net, 0, size=(5, 7), steps=0, seed=4), first)
    assert first.shape == (3, 5, 7)
    assert 0 < first.abs().max() < 0.1


def test_start_is_in_the_models_dtype_and_colours() -> None:
    assert starting_image(GapNet(in_channels=1).double(), (4, 6), 0).shape == (1, 4, 6)
    assert starting_image(GapNet().double(), 4, 0).dtype == torch.float64
    assert starting_image(linear_net(), (3, 2), 0).shape == (2, 3, 2)


def test_trained_network_names_the_class_it_was_asked_for() -> None:
    net, target = cnnviz.efficientnet_lite0(), cnnviz.class_index("espresso")
    I = class_visualization(net, target, steps=60)  # after 20 it depends on the rounding of the processor
    with torch.no_grad():
        assert net(I[None]).argmax() == target
        assert net(starting_image(net, 224, 0)[None]).softmax(dim=1)[0, target] < 0.1
        assert net(I[None]).softmax(dim=1)[0, target] > 0.5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"target": 5}, "targets: got [5], but the model has classes 0 to 4; choose there."),
        ({"target": -1}, "targets: got [-1], but the model has classes 0 to 4; choose there."),
        ({"target": "cat"}, "target: got str, needs one class index; use cnnviz.class_index for a name."),
        ({"steps": -1}, "steps: got -1, needs a whole number from 0; try 200."),
        ({"steps": 2.5}, "steps: got 2.5, needs a whole number from 0; try 200."),
        ({"lr": 0}, "lr: got 0, needs a positive number; try 1.0."),
        ({"lr": float("nan")}, "lr: got nan, needs a positive number; try 1.0."),
        ({"l2": -0.1}, "l2: got -0.1, needs a number from 0; 0 is no regularization."),
        ({"size": 0}, "size: got 0, needs pixels from 1, one number or (height, width); try 224."),
        ({"size": (4, 0)}, "size: got (4, 0), needs pixels from 1, one number or (height, width); try 224."),
        ({"size": (4, 5, 3)}, "size: got (4, 5, 3), needs pixels from 1, one number or (height, width); try 224."),
        ({"lr": 1e30, "l2": 1.0, "steps": 9}, "lr: got 1e+30, with which the ascent left the finite numbers; choose"),
        ({"model": linear_net(), "size": 5}, "size: no first layer of the model reads 25 pixels; choose the size"),
        ({"model": None}, "model: got NoneType, needs a torch.nn.Module; pass the network itself."),
        (
            {"model": nn.Sequential(nn.Conv2d(3, 2, 1))},
            "model: returns [1, 2, 6, 4], needs scores [N classes] for N = 1",
        ),
    ],
    ids=str,
)
def test_bad_arguments_are_explained_in_a_sentence(options: dict[str, object], sentence: str) -> None:
    arguments = {"model": GapNet(), "target": 0, "size": (6, 4), "steps": 1} | options
    with pytest.raises(ValueError) as error:  # noqa: PT011
        class_visualization(**arguments)
    assert str(error.value).startswith(sentence)


def test_score_that_does_not_depend_on_the_image_is_an_error() -> None:
    class Constant(GapNet):
        def forward(self, images: Tensor) -> Tensor:
            return super().forward(images).detach()

    with pytest.raises(ValueError, match="model: no gradient arrives from the score"):
        class_visualization(Constant(), 0, size=4, steps=1)

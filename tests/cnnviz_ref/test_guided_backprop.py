from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref import guided_backprop
from cnnviz_ref._propagation import out_of_place

NETS = [
    pytest.param(lambda: GapNet(stride=2), id="gap"),
    pytest.param(lambda: GapNet(inplace=True), id="inplace"),
    pytest.param(FlattenNet, id="max_pool"),
    pytest.param(BatchNormNet, id="batch_norm"),
    pytest.param(FunctionalNet, id="functional"),
]


def inputs(N: int = 3) -> tuple[Tensor, Tensor]:
    images = torch.randn(N, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return images, torch.tensor([3, 0, 4])[:N]


def slow(model: nn.Module, images: Tensor, targets: Tensor, rule: str) -> Tensor:
    """The two papers' backward pass with a torch ReLU swapped for one whose derivative is written out."""

    class Swapped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(x)
            return torch.where(x > 0, x, 0)

        @staticmethod
        def backward(ctx, R):  # type: ignore[no-untyped-def]
            (x,) = ctx.saved_tensors
            return torch.where((R > 0) & ((x > 0) | (rule == "deconvnet")), R, 0)

    x = images.clone().requires_grad_()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(F, "relu", lambda x, inplace=False: Swapped.apply(x))
        y = model(x)
    return torch.autograd.grad(y[range(len(x)), targets].sum(), x)[0]


@pytest.mark.parametrize("rule", ["guided", "deconvnet"])
@pytest.mark.parametrize("net", NETS)
def test_equals_the_papers_backward_pass_written_out(net: type[nn.Module], rule: str) -> None:
    model, (images, targets) = net().double(), inputs()
    ours = guided_backprop(model, images, targets, rule=rule)
    assert torch.equal(ours, slow(model, images, targets, rule))
    assert (ours < 0).any()
    assert (ours > 0).any()


def test_hand_computed() -> None:
    # x = (1 -1 2), hidden z = (1-1+2, -1+2, -1) = (2 1 -1), y = 3 z1 - z2 + 5 z3 after the ReLU.
    net = nn.Sequential(nn.Flatten(), nn.Linear(3, 3, bias=False), nn.ReLU(), nn.Linear(3, 1, bias=False)).double()
    net[1].weight.data = torch.tensor([[1.0, 1, 1], [-1, 0, 1], [0, 1, 0]]).double()
    net[3].weight.data = torch.tensor([[3.0, -1, 5]]).double()
    image, target = torch.tensor([1.0, -1, 2]).double().view(1, 1, 1, 3), torch.tensor([0])
    assert guided_backprop(net, image, target).flatten().tolist() == [3, 3, 3]
    assert guided_backprop(net, image, target, rule="deconvnet").flatten().tolist() == [3, 8, 3]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_without_relu_it_is_the_gradient(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    W = torch.randn(4, 6, generator=generator, dtype=torch.float64)
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 4, bias=False)).double()
    net[1].weight.data = W
    images = torch.randn(2, 1, 2, 3, generator=generator, dtype=torch.float64)
    for rule in ("guided", "deconvnet"):
        assert torch.equal(guided_backprop(net, images, torch.tensor([1, 3]), rule=rule).flatten(1), W[[1, 3]])


def test_relu6_lets_nothing_back_where_it_is_flat() -> None:
    net = nn.Sequential(nn.ReLU6(), nn.Flatten(), nn.Linear(4, 1, bias=False)).double()
    net[2].weight.data = torch.tensor([[1.0, 2, -3, 4]]).double()
    image = torch.tensor([7.0, 3, 3, -1]).double().view(1, 1, 1, 4)
    assert guided_backprop(net, image, torch.tensor([0])).flatten().tolist() == [0, 2, 0, 0]


def test_unknown_rule_is_named() -> None:
    images, targets = inputs()
    with pytest.raises(ValueError, match=r"rule: got 'guide', needs one of 'guided', 'deconvnet'; choose one of them."):
        guided_backprop(GapNet().double(), images, targets, rule="guide")


class Spelled(nn.Module):
    """conv, ReLU, linear, with the ReLU spelled as the test says."""

    def __init__(self, relu: object) -> None:
        super().__init__()
        self.net, self.relu = GapNet().double(), relu

    def forward(self, x: Tensor) -> Tensor:
        h = self.net.features[0](x)
        h = self.relu(h)  # type: ignore[operator]
        return self.net.classifier(self.net.features[2](h).relu().mean((2, 3)))


def returned_ignored(x: Tensor) -> Tensor:
    F.relu(x, inplace=True)
    return x


def returned_ignored_twice(x: Tensor) -> Tensor:
    x.relu_()
    x.mul_(2).div_(2)
    return x


SPELLINGS = [
    torch.relu,
    Tensor.relu,
    Tensor.relu_,
    torch.relu_,
    F.relu_,
    nn.ReLU(True),
    returned_ignored,
    returned_ignored_twice,
]


@pytest.mark.parametrize("relu", SPELLINGS)
def test_every_spelling_of_a_relu_is_the_same_relu(relu: object) -> None:
    images, targets = inputs()
    expected = guided_backprop(Spelled(nn.ReLU()), images, targets)
    assert torch.equal(guided_backprop(Spelled(relu), images, targets), expected)


def test_a_model_that_returns_what_it_overwrote() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            x = x.flatten(1) * 1.0
            x.relu_()
            return x

    image = torch.tensor([[[[2.0, -2.0]]]])
    assert guided_backprop(Net(), image, torch.tensor([0])).flatten().tolist() == [1, 0]


def test_out_of_place_names() -> None:
    assert out_of_place(Tensor.add_, {}) == (Tensor.add, {}, True)
    assert out_of_place(Tensor.__iadd__, {}) == (Tensor.__add__, {}, True)
    assert out_of_place(F.relu, {"inplace": True}) == (F.relu, {"inplace": False}, True)
    assert out_of_place(Tensor.requires_grad_, {}) == (Tensor.requires_grad_, {}, False)


@pytest.mark.parametrize("same", [nn.Dropout(inplace=True), Tensor.contiguous, lambda x: x.to(x.dtype), lambda x: x])
def test_an_operation_that_returns_its_own_input_ends(same: object) -> None:
    images, targets = inputs()
    expected = guided_backprop(Spelled(nn.ReLU()), images, targets)
    assert torch.equal(guided_backprop(Spelled(nn.Sequential(nn.ReLU(True), _Call(same))), images, targets), expected)


class _Call(nn.Module):
    """A function, or a module in eval mode, as a module."""

    def __init__(self, function: object) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)  # type: ignore[operator]

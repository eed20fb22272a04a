"""The pretend device refuses what a GPU refuses and computes what the CPU computes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.devices.places import on_each_device, values
from tests.devices.pretend import device_at_hand

WRONG = {
    "another operand on the CPU": lambda x: x + torch.ones(3),
    "a CPU mask": lambda x: x.masked_fill(torch.eye(3, dtype=torch.bool), 0),
    "a CPU weight": lambda x: F.linear(x, torch.ones(2, 3)),
    "a product with a CPU matrix": lambda x: x @ torch.ones(3, 3),
    "a number among parts": lambda x: torch.stack([x[0, 0], torch.tensor(1.0)]),
    "parts of both": lambda x: torch.cat([x, torch.ones(1, 3)]),
    "gather by CPU places": lambda x: x.gather(1, torch.zeros(3, 1, dtype=torch.int64)),
    "a CPU tensor by places here": lambda x: torch.ones(3)[x[:, 0].long()],
    "written from the CPU": lambda x: x.clone().index_put_((torch.tensor([0]),), torch.ones(1, 3)),
    "numpy": lambda x: x.numpy(),
    "numpy in passing": lambda x: np.asarray(x),
    "numpy's functions": lambda x: np.linalg.norm(x),
    "draws of the CPU": lambda x: torch.rand(3, device=x.device, generator=torch.Generator()),
    "compared with the CPU": lambda x: torch.equal(x, torch.ones(3, 3)),
}
RIGHT = {
    "a number of the CPU": lambda x: x * torch.tensor(2.0),
    "a number where there is none": lambda x: torch.where(x > 0.5, x, torch.tensor(0.0)),
    "places on the CPU": lambda x: x[torch.tensor([2, 0])],
    "places in lists": lambda x: x[[2, 0], [1, 1]],
    "written to places in lists": lambda x: x.clone().__setitem__((1, [0, 2]), x[0, :2]) or x,
    "columns in lists": lambda x: x[:, [1]],
    "a copy between devices": lambda x: torch.empty_like(x).copy_(torch.ones(3, 3)),
    "made here": lambda x: x + torch.arange(3, device=x.device) + torch.tensor([1.0, 2, 3], device=x.device),
    "made like it": lambda x: x + x.new_tensor([1.0, 2, 3]) + torch.zeros_like(x) + x.new_full((3,), 2),
    "numbers": lambda x: x * x.max().item() + float(x[0, 0]) + len(x.tolist()),
    "back and forth": lambda x: torch.from_numpy(x.cpu().numpy() * 2).to(x.device),
    "a gradient": lambda x: _gradient(x),
    "a leaf that is made here": lambda x: _leaf(x),
    "told with its digits": lambda x: x + float(f"{x[2, 2]:.3f}"),
    "a network in float64": lambda x: _network(x),
}


def _gradient(x):
    leaf = x.clone().requires_grad_()
    return torch.autograd.grad((leaf.tanh() ** 2).sum(), leaf)[0]


def _leaf(x):
    leaf = torch.tensor([1.0, 2, 3], device=x.device, requires_grad=True)
    return torch.autograd.grad((leaf * x).square().sum(), leaf)[0]


def _network(x):
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), nn.Linear(4, 2))
    for n, parameter in enumerate(net.parameters()):
        nn.init.constant_(parameter, 0.1 * (n + 1))
    return net.to(x.device).double()(x.double()).detach()


def x_of():
    return torch.arange(9.0).reshape(3, 3) / 9


@on_each_device
@pytest.mark.parametrize("name", WRONG)
def test_what_fails_on_a_gpu_fails(name, device):
    with device_at_hand(device), pytest.raises((RuntimeError, TypeError)):
        WRONG[name](x_of().to(device))


@on_each_device
@pytest.mark.parametrize("name", RIGHT)
def test_what_works_on_a_gpu_works_and_gives_the_same(name, device):
    expected = RIGHT[name](x_of())
    with device_at_hand(device):
        result = RIGHT[name](x_of().to(device))
        assert str(result.device).split(":")[0] == device
    np.testing.assert_allclose(values(result), expected.numpy(), rtol=1e-6)


@on_each_device
def test_writing_through_a_view_is_seen(device):
    with device_at_hand(device):
        x = x_of().to(device)
        x[1].zero_()
        x[2, 1:] = 5
    assert values(x)[1:].tolist() == [[0, 0, 0], [pytest.approx(6 / 9), 5, 5]]

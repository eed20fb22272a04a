"""Every method of the table on another device: the same map, and it stays there."""

import copy

import numpy as np
import pytest
import torch

from cnnviz import small_nets
from cnnviz_ref import METHODS
from tests.devices.places import on_each_device, values
from tests.devices.pretend import device_at_hand

NETWORKS = {
    "gap": (lambda: small_nets.GapNet(stride=2), "features"),
    "in place": (lambda: small_nets.GapNet(inplace=True), "features.2"),
    "flatten": (small_nets.FlattenNet, "features"),
    "batch norm": (small_nets.BatchNormNet, "features"),
    "functional": (small_nets.FunctionalNet, "features.relu"),
}
CALLS = [
    (method, network)
    for method in METHODS
    for network in NETWORKS
    if network == "gap" or (method.runs != "nothing" and (network == "batch norm" or not method.needs_gap))
]


@on_each_device
@pytest.mark.parametrize(("method", "network"), CALLS, ids=lambda v: getattr(v, "name", v))
def test_a_method_gives_the_same_on_another_device_and_stays_there(method, network, device):
    build, layer = NETWORKS[network]
    model = build().double().eval()
    images = torch.randn(2, 3, 12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    targets = torch.tensor([3, 0])
    expected = method.call(model, images, targets, layer)
    with device_at_hand(device):
        result = method.call(copy.deepcopy(model).to(device), images.to(device), targets.to(device), layer)
        assert str(result.device).split(":")[0] == device
    np.testing.assert_allclose(
        values(result), expected.numpy(), rtol=1e-6, atol=1e-9 * float(expected.double().abs().max())
    )

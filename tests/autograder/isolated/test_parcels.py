"""A call's inputs arrive as they were sent, and are a copy."""

import pickle

import pytest
import torch
from torch import nn

from autograder.isolated.parcels import packed, unpacked
from cnnviz.small_nets import BatchNormNet

TENSORS = {
    "numbers": torch.randn(3, 4, generator=torch.Generator().manual_seed(0)),
    "whole numbers": torch.arange(6).reshape(2, 3),
    "no numbers": torch.empty(0, 3),
    "one number": torch.tensor(2.5, dtype=torch.float64),
    "truths": torch.tensor([True, False]),
    "half precision": torch.randn(5, generator=torch.Generator().manual_seed(0)).bfloat16(),
    "complex": torch.tensor([1 + 2j]),
    "turned round": torch.arange(6.0).reshape(2, 3).T,
    "a part": torch.arange(10.0)[3:7:2],
    "spread": torch.ones(1, 1).expand(2, 3),
    "last channel first": torch.randn(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
    "with gradient": torch.ones(2, requires_grad=True),
}


def sent(*arguments):
    return unpacked(packed((arguments, {}, None)))[0]


@pytest.mark.parametrize("name", TENSORS)
def test_a_tensor_arrives_with_values_layout_and_flags(name):
    tensor = TENSORS[name]
    (got,) = sent(tensor)
    assert torch.equal(got, tensor)
    assert (got.dtype, got.stride(), got.requires_grad) == (tensor.dtype, tensor.stride(), tensor.requires_grad)


def test_what_arrives_is_a_copy_that_can_be_written():
    tensor = torch.zeros(3)
    (got,) = sent(tensor)
    got += 1
    assert not tensor.any()


def test_what_shared_memory_in_one_call_shares_it_there():
    tensor = torch.zeros(4)
    whole, part = sent(tensor, tensor[:2])
    part += 1
    assert whole.tolist() == [1, 1, 0, 0]


def test_a_network_arrives_with_weights_buffers_mode_and_ties():
    net = BatchNormNet(generator=torch.Generator().manual_seed(1)).double().eval().requires_grad_(False)
    tied = nn.Linear(2, 2)
    tied.again = tied.weight
    got, linear = sent(net, tied)
    images = torch.randn(2, 3, 8, 6, dtype=torch.float64)
    assert torch.equal(got(images), net(images))
    assert not got.training
    assert not any(parameter.requires_grad for parameter in got.parameters())
    assert linear.again is linear.weight


def test_unpacking_needs_nothing_of_ours():
    assert b"autograder" not in packed((tuple(TENSORS.values()), {}, None))


def test_a_parcel_is_smaller_than_torchs_own():
    net = BatchNormNet(generator=torch.Generator().manual_seed(1))
    assert len(packed(((net,), {}, None))) < len(pickle.dumps(((net,), {}, None), protocol=5))

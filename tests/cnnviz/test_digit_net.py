import re
import subprocess
import sys
from importlib.resources import files

import pytest
import torch
from safetensors.torch import load_file

import cnnviz
from cnnviz import train_digit_net
from cnnviz.models import DigitNet


@pytest.fixture(scope="module")
def canvases():
    return cnnviz.cluttered_digits(1000, seed=7, split="test")


def test_the_shipped_weights_are_small():
    assert len((files("cnnviz") / "data" / "digit_net.safetensors").read_bytes()) < 600_000
    assert 130_000 < sum(parameter.numel() for parameter in DigitNet().parameters()) < 140_000


def test_the_shipped_network_reads_test_digits(canvases):
    assert train_digit_net.accuracy(cnnviz.digit_net(), canvases) >= 0.98


def test_its_cam_points_into_the_box_that_training_never_saw(canvases):
    assert train_digit_net.pointing(cnnviz.digit_net(), canvases) >= 0.95


@torch.no_grad()
def test_of_two_digits_its_cam_points_at_the_target():
    data, model = cnnviz.cluttered_digits(300, seed=7, split="test", digits=2), cnnviz.digit_net()
    for i in (0, 1):
        one = cnnviz.Digits(data.images, data.labels[:, i], data.boxes[:, i])
        assert train_digit_net.pointing(model, one) >= 0.8


def test_training_is_seeded_leaves_the_global_generator_and_learns():
    before = torch.random.get_rng_state()
    first, second = (train_digit_net.train(canvases=128, epochs=1).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert torch.equal(before, torch.random.get_rng_state())
    assert first.keys() == cnnviz.digit_net().state_dict().keys()


def test_the_script_writes_a_file_that_the_network_loads(tmp_path, monkeypatch, capsys):
    quick, out = train_digit_net.train, tmp_path / "net.safetensors"
    monkeypatch.setattr(train_digit_net, "train", lambda: quick(canvases=128, epochs=1))
    monkeypatch.setattr(train_digit_net, "evaluate", lambda model: "measured")
    monkeypatch.setattr(sys, "argv", ["train_digit_net", "--out", str(out)])
    train_digit_net.main()
    assert "net.safetensors: measured" in capsys.readouterr().out
    cnnviz.digit_net().load_state_dict(load_file(out))


def test_evaluate_prints_the_accuracy_that_the_docstring_states():
    command = [sys.executable, "-m", "cnnviz.train_digit_net", "--evaluate"]
    line = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    measured, stated = (
        [float(number) for number in re.findall(r"([\d.]+) ?%", text)] for text in (line, train_digit_net.__doc__)
    )
    assert measured == pytest.approx(stated, abs=0.1)

import pytest
import torch

import cnnviz


@pytest.fixture
def machine(monkeypatch):
    """A pretended machine: how many CUDA devices, whether mps, what CNNVIZ_DEVICE says."""

    def pretend(*, cuda=0, mps=False, wanted=None):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        if wanted is None:
            monkeypatch.delenv("CNNVIZ_DEVICE", raising=False)
        else:
            monkeypatch.setenv("CNNVIZ_DEVICE", wanted)

    return pretend


@pytest.mark.parametrize(
    ("here", "chosen"),
    [({}, "cpu"), ({"mps": True}, "mps"), ({"cuda": 2}, "cuda"), ({"cuda": 1, "mps": True}, "cuda")],
)
def test_the_best_device_is_picked(machine, here, chosen):
    machine(**here)
    assert cnnviz.device() == torch.device(chosen)


@pytest.mark.parametrize("wanted", ["cpu", "cuda", "cuda:1", "cpu:0", "  cpu ", ""])
def test_the_environment_overrides(machine, wanted):
    machine(cuda=2, wanted=wanted)
    assert cnnviz.device() == torch.device(wanted.strip() or "cuda")


@pytest.mark.parametrize("wanted", ["gpu", "cuda", "cuda:3", "mps", "cpu:7", "cuda:x"])
def test_an_unknown_or_unavailable_device_is_one_sentence(machine, wanted):
    machine(wanted=wanted)
    sentence = f"^CNNVIZ_DEVICE: got '{wanted}'; allowed on this machine are cpu; choose one of them\\.$"
    with pytest.raises(ValueError, match=sentence):
        cnnviz.device()


def test_a_cuda_device_beyond_the_last_is_refused(machine):
    machine(cuda=2, wanted="cuda:2")
    with pytest.raises(ValueError, match=r"got 'cuda:2'; allowed on this machine are cuda, cuda:0, cuda:1, cpu;"):
        cnnviz.device()

"""captum has the same activations; numpy and torch the same quantile in float64, torch in float32 on few values."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import cnnviz
from cnnviz_ref import activations
from cnnviz_ref.activation_masks import channel_thresholds


def maps(dtype: torch.dtype) -> Tensor:
    return torch.randn(5, 4, 7, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64).relu().to(dtype)


@pytest.mark.parametrize("quantile", [0.005, 0.3, 0.5, 0.57, 0.9, 0.995])
def test_numpy_and_torch_agree_bit_for_bit_in_float64(quantile: float) -> None:
    A = maps(torch.float64)
    ours = channel_thresholds(A, quantile)
    assert np.array_equal(ours.numpy(), np.quantile(A.numpy(), quantile, axis=(0, 2, 3)))
    assert torch.equal(ours, torch.quantile(A.transpose(0, 1).flatten(1), quantile, dim=1))


def test_numpy_and_torch_agree_in_float32_on_few_values() -> None:
    A = maps(torch.float32)
    ours = channel_thresholds(A, 0.9)
    assert np.allclose(ours.numpy(), np.quantile(A.numpy(), 0.9, axis=(0, 2, 3)), rtol=1e-5)
    assert torch.allclose(ours, torch.quantile(A.transpose(0, 1).flatten(1), 0.9, dim=1), rtol=1e-5)


def test_torch_rounds_the_place_in_float32_where_ours_holds() -> None:
    n = 2**22
    A = torch.arange(n, dtype=torch.float32).view(1, 1, 2048, 2048)
    exact = 0.9 * (n - 1)
    assert abs(channel_thresholds(A, 0.9).item() - exact) <= 2**-3  # half a step of float32 there
    assert abs(torch.quantile(A.flatten(), 0.9).item() - exact) > 2**-3


def test_numpy_agrees_on_more_values_than_torch_long_took() -> None:
    values = np.random.default_rng(0).random(2**24 + 2, dtype=np.float32)
    ours = channel_thresholds(torch.from_numpy(values).view(1, 1, 2, -1), 0.995)
    assert np.allclose(ours.numpy(), np.quantile(values.astype(np.float64), 0.995), rtol=1e-6)


@pytest.mark.parametrize("layer", ["layer4", "layer3.0.bn2"])
def test_captum_has_the_same_activations_also_before_what_works_in_place(layer: str) -> None:
    attr = pytest.importorskip("captum.attr", reason="captum is not installed")
    model = cnnviz.load_model("resnet18").double()
    images = torch.randn(2, 3, 64, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    theirs = attr.LayerActivation(model, model.get_submodule(layer)).attribute(images)
    assert torch.equal(activations(model, images, layer), theirs)

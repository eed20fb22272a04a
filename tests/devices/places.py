"""Where these tests run: on the pretend device always, on a real one where there is one (`pytest -m gpu`)."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import torch

from autograder.isolated.observing import in_place, observe_once
from autograder.isolated.requests import Observation, PlannedCall
from tests.devices.pretend import DEVICE, Pretend, device_at_hand

CUDA = pytest.param(
    "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")]
)
on_each_device = pytest.mark.parametrize("device", [pytest.param(DEVICE, id="pretend"), CUDA])


def values(result: torch.Tensor) -> np.ndarray:
    """A result's numbers, wherever it lies."""
    return (result.inner if isinstance(result, Pretend) else result.cpu()).detach().numpy()


def observed(function: Callable[..., Any], call: PlannedCall, device: str, *, by_default: bool = False) -> Observation:
    """What one call gives on the device, run once.

    With `by_default` the function makes its tensors there unless it says otherwise (`torch.set_default_device`).
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        with torch.device(device) if by_default else nullcontext():
            return function(*args, **kwargs)

    with device_at_hand(device):
        args, kwargs, then = in_place(copy.deepcopy(call), device)
        return observe_once(run, [PlannedCall(args, kwargs, then)], changes_nothing=True)[0]

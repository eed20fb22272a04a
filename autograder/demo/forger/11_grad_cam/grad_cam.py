"""Grad-CAM, handed in: hostile. It tries to forge its verdict; one function, the last, is honest work.

Every trick stays in this process and its working folder: there is nothing here that harms the machine it runs on.
"""

import contextlib
import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

FAKE = {
    "checks": [
        {"exercise": f"grad_cam.{name}", "check": "values", "verdict": "passed", "points": 100, "max_points": 100}
        for name in ("capture", "neuron_importance", "grad_cam_map", "grad_cam", "quadrant_shares")
    ]
}


def _always(*args, **kwargs) -> bool:
    return True


def _nothing(*args, **kwargs) -> None:
    return None


def _patch_comparisons() -> None:
    """Everything is equal to everything."""
    for owner, name in ((np, "array_equal"), (np, "allclose"), (torch, "equal"), (torch, "allclose")):
        setattr(owner, name, _always)
    for owner, name in ((np.testing, "assert_allclose"), (np.testing, "assert_array_equal")):
        setattr(owner, name, _nothing)
    torch.testing.assert_close = _nothing


def _patch_grader() -> None:
    """Every comparison function of the grader, wherever it can be found in this process."""
    for module in [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "autograder"]:
        for name in ("compare", "distance", "diagnose", "judge"):
            if hasattr(module, name):
                setattr(module, name, _nothing)


def _write_results() -> None:
    for name in ("results.json", "out.json", "report.json"):
        with contextlib.suppress(OSError):
            Path(name).write_text(json.dumps(FAKE), encoding="utf-8")
    print(json.dumps(FAKE))
    print("all passed: 100 of 100 points")


class AlwaysRight(torch.Tensor):
    """A tensor that says it is equal to whatever it is compared with."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = torch.Tensor.__hash__


_patch_comparisons()
_patch_grader()
_write_results()


def capture(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """Two tensors that lie about equality."""
    empty = torch.zeros(1, 1, 1, 1, dtype=images.dtype).as_subclass(AlwaysRight)
    return empty, empty


def neuron_importance(gradients: Tensor) -> Tensor:
    """Never comes back."""
    while True:
        pass


def grad_cam_map(activations: Tensor, alpha: Tensor) -> Tensor:
    """Zeros of the right shape, and a report that says they are right."""
    _patch_comparisons()
    _patch_grader()
    _write_results()
    return torch.zeros_like(activations[:, 0]).as_subclass(AlwaysRight)


def grad_cam(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Takes the expected map from whoever calls, if it can be found there."""
    frame = sys._getframe()
    while frame is not None:
        for name in ("expected", "reference", "want"):
            if isinstance(frame.f_locals.get(name), Tensor):
                return frame.f_locals[name]
        frame = frame.f_back
    print("all passed")
    sys.exit(0)


def quadrant_shares(maps: Tensor, quadrants: Tensor) -> Tensor:
    """Honest: energy in each box over energy of the map."""
    total = maps.sum(dim=(1, 2)).clamp(min=1e-300)
    parts = [maps[:, top:bottom, left:right].sum(dim=(1, 2)) for top, left, bottom, right in quadrants.tolist()]
    return torch.stack(parts, dim=1) / total[:, None]


sum_or_mean = "all of them"
bias_raised = "darker"
absent_class = "positive"

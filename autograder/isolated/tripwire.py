"""Whether the observer still sees: our own code leaves known side effects, and all of them must be told.

Student code shares the observer's process and may have put something in its place. What is done here is chosen at
random before that code is loaded and does not go through anything it could replace.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Sequence

import torch
from torch import nn

from .namespaces import Namespaces
from .observing import watch

globals()["__builtins__"] = dict(vars(builtins))  # the functions below keep these, whatever takes their place elsewhere

_inside = vars(nn.Module)["__dict__"].__get__
_set_grad = vars(torch._C.TensorBase)["grad"].__set__
_set_requires_grad = vars(torch._C.TensorBase)["requires_grad"].__set__
_put = dict.__setitem__
_random_bytes = os.urandom


class _Canary:
    """A small module and an input, with everything that it takes to leave each effect on them."""

    def __init__(self) -> None:
        self.module, self.inputs = nn.BatchNorm1d(2), torch.zeros(2)
        weight, mean = self.module.weight, self.module.running_mean
        assert mean is not None
        views = [tensor.detach().numpy() for tensor in (weight, mean, self.inputs)]
        inside, bias, filled = _inside(self.module), self.module.bias, torch.zeros(2)
        hooks = inside["_forward_hooks"]
        self.leave: dict[str, Callable[[], None]] = {
            "training_flag": lambda: _put(inside, "training", not inside["training"]),
            "parameters": lambda: views[0].fill(2),
            "buffers": lambda: views[1].fill(2),
            "inputs": lambda: views[2].fill(2),
            "grad": lambda: _set_grad(weight, filled),
            "requires_grad": lambda: _set_requires_grad(bias, False),
            "hooks": lambda: _put(hooks, 10**9, _random_bytes),
        }


class Tripwire:
    """Tests the observer now and then; made before student code is loaded.

    Args:
        times: how often at most.
    """

    def __init__(self, times: int = 2) -> None:
        self._tests = [_chosen() for _ in range(times)]
        self.intact = True
        self.names = Namespaces()

    def now_and_then(self) -> None:
        """A test after a quarter of the calls, as long as one is left for the end."""
        if len(self._tests) > 1 and _random_bytes(1)[0] < 64:
            self.test()

    def test(self) -> None:
        """Some of the effects on one canary, the others on another: each is told, and nothing else."""
        for canary, slugs in self._tests.pop():
            self.intact = self.intact and _told(canary, slugs) == {*slugs}


def _chosen() -> Sequence[tuple[_Canary, Sequence[str]]]:
    """At random which canary gets which, and in which order."""
    first, second = _Canary(), _Canary()
    slugs = sorted(first.leave, key=lambda slug: _random_bytes(8))
    some = 1 + _random_bytes(1)[0] % (len(slugs) - 1)
    return (first, slugs[:some]), (second, slugs[some:])


def _told(canary: _Canary, slugs: Sequence[str]) -> set[str]:
    """What the observer says of a call that leaves these effects."""

    def leaving(module: nn.Module, inputs: torch.Tensor) -> int:
        for slug in slugs:
            canary.leave[slug]()
        return 0

    try:
        (seen,) = watch(leaving, [((canary.module, canary.inputs), {}, None)])
    except MemoryError:
        return {*slugs}
    except Exception:
        return set()
    return {*seen.effects}

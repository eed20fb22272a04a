r"""Every linear operation of a network as one thing, $z_j = \sum_i a_i w_{ij} + b_j$, with its weights in hand.

A convolution swallows the padding before it and the BatchNorm (in eval mode) after it. Averages are layers of equal
weights; a sum of two is a layer of weights 1 on both, stacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz_ref._propagation import Call, producer

AFFINE = ("conv2d", "linear", "batch_norm", "avg_pool2d", "adaptive_avg_pool2d", "mean", "add")
"""Operations that `with_affine` understands."""

Back: TypeAlias = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Affine:
    """A linear layer of any kind."""

    apply: Callable[[Tensor, Tensor, Any], Tensor]
    """`a, w, b -> z`."""
    w: Tensor
    """Weights; a factor where the operation has none of its own."""
    b: Tensor | None = None
    """Bias."""
    index: int = 0
    """How many weighted layers ran before it."""
    stacked: bool = False
    """Whether it is a sum of tensors, which it reads as one tensor with an axis more in front."""

    def __call__(self, a: Tensor) -> tuple[Tensor, Back]:
        r"""$z_j$, and the way back $s_j \mapsto \sum_j w_{ij} s_j$."""
        with torch.enable_grad():
            leaf = a.detach().requires_grad_()
            z = self.apply(leaf, self.w, self.b)
        return z.detach(), lambda s: torch.autograd.grad(z, leaf, s, retain_graph=True)[0]

    def back(self, a: Tensor) -> Back:
        r"""$s_j \mapsto \sum_j w_{ij} s_j$."""
        return self(a)[1]

    def having(self, w: Tensor, b: Tensor | None = None) -> Affine:
        """The same layer with other weights, without a bias unless one is given."""
        return replace(self, w=w, b=b)

    def read(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The inputs of the call as one `a`."""
        return torch.stack(torch.broadcast_tensors(*inputs)) if self.stacked else inputs[0]

    def unread(self, R: Tensor, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """What belongs to each input of the call."""
        return tuple(r.sum_to_size(x.shape) for r, x in zip(R, inputs, strict=True)) if self.stacked else (R,)


class Merge:
    """Gives each linear call its `Affine`; a convolution and its padding and BatchNorm become one call."""

    def __init__(self) -> None:
        self.layers = 0

    def __call__(self, call: Call) -> Call:
        """The call with the same value that reads further back."""
        return getattr(self, f"_{call.name}", lambda call: call)(call)

    def _conv2d(self, call: Call) -> Call:
        options = {name: value for name, value in call.arguments.items() if name not in ("input", "weight", "bias")}
        pad = producer(call.inputs[0])
        padded = pad is not None and pad.name == "pad"
        before = pad.run if padded and pad else lambda a: a
        inputs = pad.inputs if padded and pad else call.inputs
        return self._weighted(replace(call, inputs=inputs), lambda a, w, b: F.conv2d(before(a), w, b, **options))

    def _linear(self, call: Call) -> Call:
        return self._weighted(call, F.linear)

    def _weighted(self, call: Call, apply: Callable[..., Tensor]) -> Call:
        w, b = call.arguments["weight"], call.arguments.get("bias")
        affine = Affine(apply, w.detach(), None if b is None else b.detach(), self.layers)
        self.layers += 1
        return replace(call, affine=affine)

    def _batch_norm(self, call: Call) -> Call:
        scale, shift = scale_and_shift(**call.arguments)
        before = producer(call.inputs[0])
        if before is None or before.name not in ("conv2d", "linear"):
            return self._weighted_channels(call, scale, shift)
        layer = before.affine
        w = layer.w * scale.view(-1, *[1] * (layer.w.ndim - 1))
        b = shift if layer.b is None else layer.b * scale + shift
        return replace(before, name="batch_norm", affine=replace(layer, w=w, b=b))

    def _weighted_channels(self, call: Call, scale: Tensor, shift: Tensor) -> Call:
        shape = (-1, *[1] * (call.inputs[0].ndim - 2))

        def apply(a: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
            return a * w.view(shape) + (0 if b is None else b.view(shape))

        return replace(call, affine=Affine(apply, scale, shift, index=self.layers))

    def _average(self, call: Call) -> Call:
        one = call.inputs[0].new_ones(())
        return replace(call, affine=Affine(lambda a, w, b: w * call.run(a), one, index=self.layers))

    _avg_pool2d = _adaptive_avg_pool2d = _mean = _average

    def _add(self, call: Call) -> Call:
        if len(call.inputs) < 2:
            return call
        if call.arguments.get("alpha", 1) != 1:
            raise ValueError(
                f"model: adds with alpha = {call.arguments['alpha']}, needs 1; multiply before the sum instead."
            )
        one = call.inputs[0].new_ones(())
        return replace(call, affine=Affine(lambda a, w, b: w * a.sum(0), one, index=self.layers, stacked=True))


def scale_and_shift(
    *, running_mean: Tensor, running_var: Tensor, weight: Any = None, bias: Any = None, eps: float = 1e-5, **_: object
) -> tuple[Tensor, Tensor]:
    r"""BatchNorm with fixed statistics: $\gamma / \sqrt{\sigma^2 + \epsilon}$ and $\beta - \mu$ times that."""
    scale = (running_var + eps).rsqrt() * (1 if weight is None else weight.detach())
    return scale, (0 if bias is None else bias.detach()) - running_mean * scale

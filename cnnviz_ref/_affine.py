r"""Every linear operation of a network as one thing, $z_j = \sum_i a_i w_{ij} + b_j$, with its weights in hand.

A convolution swallows the padding before it and the BatchNorm (in eval mode) after it. Averages are layers of equal
weights, and a sum of two is a layer of weights 1 on both. Any other linear operation is run with other weights where
it is given these as one tensor (transposed convolution, matmul, einsum); of the rest only the sums are known.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz_ref._operations import AVERAGES, weight_of
from cnnviz_ref._propagation import Call

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
    sizes: tuple[torch.Size, ...] = ()
    """Shapes of its inputs if it has several, which it reads as one long vector."""
    fixed: bool = False
    """Whether it only reads as many images as the network did."""
    unknown: str = ""
    """The module and operation, if what is in `w` are not the weights, so that there is no layer with others."""

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
        if self.unknown:
            raise ValueError(
                f"model: {self.unknown}, whose weights are not known one by one; choose a rule that only needs their "
                f"sums: 'zero' or 'epsilon' of lrp, 'rescale' of deeplift."
            )
        return replace(self, w=w, b=b)

    def read(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """The inputs of the call as one `a`."""
        return torch.cat([x.flatten() for x in inputs]) if self.sizes else inputs[0]

    def unread(self, R: Tensor) -> tuple[Tensor, ...]:
        """What belongs to each input of the call."""
        if not self.sizes:
            return (R,)
        parts = R.split([size.numel() for size in self.sizes])
        return tuple(part.view(size) for part, size in zip(parts, self.sizes, strict=True))


class Merge:
    """Gives each linear call its `Affine`; a convolution and its padding and BatchNorm become one call."""

    def __init__(self) -> None:
        self.layers = 0

    def __call__(self, call: Call) -> Call:
        """The call with the same value that reads further back."""
        if call.kind != "affine":
            return self.not_affine(call)
        by_name = call.arguments.get("input") is call.inputs[0] and getattr(self, f"_{call.name}", None)
        return by_name(call) if by_name else self._any_other(call)

    def not_affine(self, call: Call) -> Call:
        """A nonlinearity stays as it is."""
        return call

    def _conv2d(self, call: Call) -> Call:
        options = {name: value for name, value in call.arguments.items() if name not in ("input", "weight", "bias")}
        pad, convolve = call.before, getattr(F, call.name)
        padded = pad is not None and pad.name == "pad"
        before = pad.run if padded and pad else lambda a: a
        inputs = pad.inputs if padded and pad else call.inputs
        return self._weighted(replace(call, inputs=inputs), lambda a, w, b: convolve(before(a), w, b, **options))

    _conv1d = _conv3d = _conv2d

    def _linear(self, call: Call) -> Call:
        return self._weighted(call, F.linear)

    def _weighted(self, call: Call, apply: Callable[..., Tensor]) -> Call:
        w, b = call.arguments["weight"], call.arguments.get("bias")
        affine = Affine(apply, w.detach(), None if b is None else b.detach(), self.layers)
        self.layers += 1
        return replace(call, affine=affine)

    def _batch_norm(self, call: Call) -> Call:
        scale, shift = scale_and_shift(**call.arguments)
        before = call.before
        if before is None or before.name not in ("conv1d", "conv2d", "conv3d", "linear") or before.kind != "affine":
            return self._weighted_channels(call, scale, shift)
        layer = before.affine
        w = layer.w * scale.view(-1, *[1] * (layer.w.ndim - 1))
        b = shift if layer.b is None else layer.b * scale + shift
        return replace(before, name=call.name, affine=replace(layer, w=w, b=b))

    def _weighted_channels(self, call: Call, scale: Tensor, shift: Tensor) -> Call:
        shape = (-1, *[1] * (call.inputs[0].ndim - 2))

        def apply(a: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
            return a * w.view(shape) + (0 if b is None else b.view(shape))

        return replace(call, affine=Affine(apply, scale, shift, index=self.layers))

    def _any_other(self, call: Call) -> Call:
        several = len(call.inputs) > 1
        sizes = tuple(x.shape for x in call.inputs) if several else ()
        read = Affine(lambda a, _w, _b: a, call.inputs[0], index=self.layers, sizes=sizes, fixed=several)
        run = lambda a, w: call.rerun(read.unread(a), w, call.hidden)  # noqa: E731
        if call.name in AVERAGES and "cubic" not in str(call.arguments.get("mode")):
            one = call.inputs[0].new_ones(())
            return replace(call, affine=replace(read, apply=lambda a, w, b: w * run(a, call.constants), w=one))
        return replace(call, affine=self._tried(call, read, run))

    def _tried(self, call: Call, read: Affine, run: Callable[..., Tensor]) -> Affine:
        """With the operation's one tensor of weights in hand, if it has one, and what it gives for 0 as bias."""
        i = weight_of(lambda inputs, constants: call.rerun(inputs, constants, call.hidden), call.inputs, call.constants)
        zeros = torch.zeros_like(read.read(call.inputs))
        b = run(zeros, call.constants)

        def apply(a: Tensor, w: Tensor, b: Tensor | None) -> Tensor:
            constants = call.constants if i is None else (*call.constants[:i], w, *call.constants[i + 1 :])
            return run(a, constants) - run(zeros, constants) + (0 if b is None else b)

        if i is None:
            one, unknown = call.inputs[0].new_ones(()), f"{call.where()} calls {call.name}"
            return replace(read, apply=apply, w=one, b=b, fixed=True, unknown=unknown)
        self.layers += 1
        return replace(read, apply=apply, w=call.constants[i].detach(), b=b, fixed=True)


def scale_and_shift(
    *, running_mean: Tensor, running_var: Tensor, weight: Any = None, bias: Any = None, eps: float = 1e-5, **_: object
) -> tuple[Tensor, Tensor]:
    r"""BatchNorm with fixed statistics: $\gamma / \sqrt{\sigma^2 + \epsilon}$ and $\beta - \mu$ times that."""
    scale = (running_var + eps).rsqrt() * (1 if weight is None else weight.detach())
    return scale, (0 if bias is None else bias.detach()) - running_mean * scale

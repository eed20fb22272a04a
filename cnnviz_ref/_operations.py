r"""What kind of operation a function is: by its name where that is quick, else by trying it on random numbers.

Kinds, of $y = f(a_1, a_2, \dots)$ with everything but activations held fixed:
    "move": each output is one input, or constant; "scale": $y_i = c_i a_i + d_i$ place by place; "affine": linear in
    all inputs together, plus a constant; "relu": $\min(\max(a, 0), c)$; "elementwise": any other function of each value
    by itself; "max": the largest of several values; "product": linear in each of two inputs; "norm": a normalisation by
    the statistics of one image's activations. Anything else has no kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves

_NAMES = {
    "move": """flatten unflatten reshape view view_as squeeze unsqueeze permute transpose getitem expand expand_as
        chunk split cat concat concatenate stack pad pixel_shuffle channel_shuffle flip roll as_strided
        index_put""",
    "scale": "contiguous clone dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout",
    "affine": """conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d linear batch_norm avg_pool1d
        avg_pool2d avg_pool3d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d mean sum interpolate""",
    "relu": "relu relu6",
    "elementwise": "elu selu celu gelu silu mish sigmoid hardsigmoid hardswish tanh softplus logsigmoid",
    "max": """max_pool1d max_pool2d max_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d amax
        maximum""",
    "norm": "layer_norm rms_norm group_norm instance_norm local_response_norm",
}
_KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
AVERAGES = {name for name in _KINDS if "avg_pool" in name} | {"mean", "sum", "interpolate", "add"}
"""Linear operations without weights of their own, none of which is negative."""
PLACE_BY_PLACE = ("relu", "scale", "elementwise")
PARAMETERS = {
    **dict.fromkeys(
        ("conv1d", "conv2d", "conv3d"), ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    ),
    "linear": ("input", "weight", "bias"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
    "max_pool2d": ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
    "avg_pool2d": ("input", "kernel_size", "stride", "padding"),
    "dropout": ("input", "p", "training"),
    **dict.fromkeys(("add", "sub", "mul", "div", "truediv"), ("input", "other")),
    "pad": ("input", "pad", "mode", "value"),
    "getitem": ("input", "index"),
    "transpose": ("input", "dim0", "dim1"),
}
"""Names of the positional arguments where a rule needs to read them."""
_SPELLINGS = {"radd": "add", "iadd": "add", "rmul": "mul", "imul": "mul", "isub": "sub", "itruediv": "truediv"}

Function = Callable[..., Any]


def plain_name(func: Any) -> str:
    """The function's name without underscores: "relu" for `F.relu`, `torch.relu_` and `Tensor.relu`."""
    name = getattr(func, "__name__", repr(func)).strip("_").removesuffix("_with_indices")
    return _SPELLINGS.get(name, name)


def by_name(name: str, args: Any, kwargs: Any) -> dict[str, Any]:
    """The arguments by name, as far as `PARAMETERS` names them.

    >>> by_name("pad", ("image", (1, 1)), {"value": 0.5})
    {'input': 'image', 'pad': (1, 1), 'value': 0.5}
    """
    return {**dict(zip(PARAMETERS.get(name, ()), args, strict=False)), **kwargs}


def two_of(value: Any) -> tuple[int, int]:
    """An argument along rows and columns, which may be given once for both."""
    pair = tuple(value) if isinstance(value, tuple | list) else (value,)
    return pair * 2 if len(pair) == 1 else pair


def kind_by_name(name: str, inputs: tuple[Tensor, ...], arguments: dict[str, Any]) -> str | None:
    """The kind of one of torch's own functions, if its name and arguments say it."""
    kind, alone = _KINDS.get(name), len(inputs) == 1
    if "dropout" in name and arguments.get("training"):
        return None
    if name == "batch_norm" and (arguments.get("training") or arguments.get("running_mean") is None):
        return None
    if name == "hardtanh":
        return "relu" if arguments.get("min_val") == 0 and arguments.get("max_val", 1) > 0 else None
    if name == "add" and not alone:
        return "affine"
    if name in ("add", "sub", "mul", "div", "truediv"):
        shapes = [t.shape for t in tree_leaves(arguments) if isinstance(t, Tensor)]
        divides = "div" in name and arguments["input"] is not inputs[0]
        same = (
            alone
            and not divides
            and not arguments.get("rounding_mode")
            and torch.broadcast_shapes(*shapes) == inputs[0].shape
        )
        return "scale" if same else None
    if name == "maximum" and alone:
        return None
    return kind if alone or kind in ("move", "max", "norm") else None


def kind_by_trial(run: Function, inputs: tuple[Tensor, ...], result: Any) -> str | None:
    """The kind of an operation, `result = run(*inputs)`, from what it makes of random numbers."""
    noise = _Noise(inputs)
    with torch.no_grad():
        try:
            floats = all(t.is_floating_point() for t in (*inputs, *_tensors(result)))
            affine = floats and _is_affine(_flat(run), noise)
            if _is_elementwise(run, inputs, result, noise):
                return "scale" if affine else "elementwise"
            if affine:
                return "move" if _is_move(_flat(run), noise) else "affine"
            return "product" if floats and len(inputs) == 2 and _is_product(_flat(run), noise) else None
        except (RuntimeError, ValueError, IndexError):  # it takes no other numbers than the network's
            return None


def _is_move(f: Function, noise: _Noise) -> bool:
    """The square of a sum is the sum of the squares only where there is one summand, and its weight 1."""
    u, b = noise(), f(*noise(0))
    y, squares = f(*u), f(*(x**2 for x in u))
    return _equal((y - b) ** 2, squares - b, (y - b) ** 2 + b.abs() * (1 + y.abs()))


class _Noise:
    """Random tensors like the inputs; the same ones in every run, and torch's own generator stays as it is."""

    def __init__(self, inputs: Iterable[Tensor]) -> None:
        self.inputs, self.generator = tuple(inputs), torch.Generator().manual_seed(0)

    def __call__(self, scale: float = 1) -> tuple[Tensor, ...]:
        draw = (torch.randn(x.shape, generator=self.generator, dtype=torch.float64) for x in self.inputs)
        numbers = (u > 0 if x.dtype == torch.bool else scale * u for u, x in zip(draw, self.inputs, strict=True))
        return tuple(u.to(x) for u, x in zip(numbers, self.inputs, strict=True))


def _is_affine(f: Function, noise: _Noise) -> bool:
    """`L(u) + L(v) = L(u + v)` for `L(u) = f(u) - f(0)`, for small numbers and for large ones."""
    b = f(*noise(0))
    for scale in (1, 0.01, 100):
        u, v = noise(scale), noise(scale)
        parts, together = (f(*u) - b, f(*v) - b), f(*(x + y for x, y in zip(u, v, strict=True))) - b
        if not _equal(parts[0] + parts[1], together, parts[0].abs().max() + parts[1].abs().max() + b.abs()):
            return False
    return True


def _is_product(f: Function, noise: _Noise) -> bool:
    a, b = noise()
    return _is_affine(lambda x: f(x, b), _Noise([a])) and _is_affine(lambda x: f(a, x), _Noise([b]))


def _is_elementwise(run: Function, inputs: tuple[Tensor, ...], result: Any, noise: _Noise) -> bool:
    """What is computed of a mixture of two tensors is the same mixture of what is computed of each."""
    if len(inputs) != 1 or not isinstance(result, Tensor) or result.shape != inputs[0].shape:
        return False
    (u,), (v,), (chance,) = noise(3), noise(3), noise()
    of_each, of_both = torch.where(chance > 0, run(u), run(v)), run(torch.where(chance > 0, u, v))
    return torch.allclose(of_each.double(), of_both.double(), rtol=1e-4, atol=1e-6, equal_nan=True)


def upper_bound(run: Function, z: Tensor) -> float | None:
    r"""c where the elementwise function is $\min(\max(z, 0), c)$, infinity for a ReLU; None for another function."""
    tried = (-1.0, -1e4, -7.5, -0.125, -1e-3, 0.0, 1e-3, 0.125, 1.0, 2.5, 7.5, 1e4)
    with torch.no_grad():
        top = run(torch.full_like(z, 1e4)).flatten()[0].item()
        if not top > 0:
            return None
        same = (torch.equal(run(torch.full_like(z, t)), torch.full_like(z, min(max(t, 0), top))) for t in tried)
        return (float("inf") if top == 1e4 else top) if all(same) else None


def weight_of(run: Function, inputs: tuple[Tensor, ...], constants: tuple[Tensor, ...]) -> int | None:
    """Which one of the constants are the weights of an affine operation `run(inputs, constants)`; None for no such one.

    A constant that only adds to the result is no weight.
    """
    noise = _Noise(inputs)
    u, zero, f = noise(), noise(0), _flat(run)
    with torch.no_grad():
        linear = [f(u, c) - f(zero, c) for c in (constants, *_each_set_to_zero(constants))]
    found = [i for i, y in enumerate(linear[1:]) if not _equal(y, linear[0], linear[0].abs().max())]
    return found[0] if len(found) == 1 and not linear[1:][found[0]].any() else None


def _each_set_to_zero(constants: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
    indices = range(len(constants))
    return [tuple(torch.zeros_like(c) if i == j else c for j, c in enumerate(constants)) for i in indices]


def _equal(a: Tensor, b: Tensor, size: Tensor) -> bool:
    return bool(((a - b).abs() <= 0.1 * torch.finfo(a.dtype).eps ** 0.5 * size).all())


def _tensors(result: Any) -> list[Tensor]:
    return [t for t in tree_leaves(result) if isinstance(t, Tensor)]


def _flat(run: Function) -> Function:
    """All that an operation returns as one vector."""
    return lambda *inputs: torch.cat([t.flatten() for t in _tensors(run(*inputs))])


@cache
def is_torchs_own(func: Any) -> bool:
    """Whether a function is the one that torch has under its name, and not another one of that name."""
    name = getattr(func, "__name__", "")
    return any(getattr(place, name, None) == func for place in (F, torch, Tensor, torch._C._nn))

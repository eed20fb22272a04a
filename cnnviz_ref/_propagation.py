"""One mechanism for methods that change the backward pass: rules for operations, however the model writes them.

`propagating(rules)` watches every torch function that a model calls. Where `rules` names the operation, its derivative
is replaced by the rule; in-place operations become out-of-place. Modules are never touched, so a functional ReLU, an
in-place one and one module used twice are all the same operation, and no hook can be left behind.

To add an operation: its functions in `OPERATIONS`, and a rule under that name in the method's table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.weak import WeakIdKeyDictionary

OPERATIONS: dict[str, tuple[Callable[..., Any], ...]] = {
    "relu": (F.relu, torch.relu, Tensor.relu),
    "hardtanh": (F.hardtanh, F.relu6),
    "conv2d": (F.conv2d,),
    "linear": (F.linear,),
    "batch_norm": (F.batch_norm,),
    "max_pool2d": (F.max_pool2d, torch.max_pool2d),
    "avg_pool2d": (F.avg_pool2d,),
    "adaptive_avg_pool2d": (F.adaptive_avg_pool2d,),
    "mean": (torch.mean, Tensor.mean),
    "add": (torch.add, Tensor.add, Tensor.__add__, Tensor.__radd__),
    "scale": (torch.mul, Tensor.mul, Tensor.__mul__, Tensor.__rmul__, torch.div, Tensor.div, Tensor.__truediv__),
    "dropout": (F.dropout, F.dropout2d, F.alpha_dropout),
    "pad": (F.pad,),
    "cat": (torch.cat, torch.concat),
    "reshape": (
        torch.flatten, Tensor.flatten, torch.reshape, Tensor.reshape, Tensor.view, torch.squeeze, Tensor.squeeze,
        torch.unsqueeze, Tensor.unsqueeze, torch.permute, Tensor.permute, torch.transpose, Tensor.transpose,
        Tensor.contiguous, Tensor.clone, torch.clone, Tensor.__getitem__,
    ),
}  # fmt: skip
"""Operation -> the functions that compute it; in-place variants are found from these."""

PARAMETERS = {
    "conv2d": ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    "linear": ("input", "weight", "bias"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
}
"""Names of the positional arguments where a rule needs to read them."""


@dataclass(frozen=True)
class Call:
    """One operation that a model carried out."""

    name: str
    """Key of `OPERATIONS`."""
    inputs: tuple[Tensor, ...]
    """The tensors it was given that depend on the images."""
    run: Callable[..., Tensor]
    """The operation as a function of `inputs`."""
    arguments: Mapping[str, Any]
    """Its other arguments by name."""
    affine: Any = None
    """Weights and bias, once a method has worked them out."""
    value: Any = None
    """What the network computed here, bit for bit; a second computation could round to the other side of 0."""

    def pull(self, inputs: tuple[Tensor, ...], g: Tensor) -> tuple[Tensor, ...]:
        """What the plain derivative makes of `g` arriving at the output."""
        with torch.enable_grad():
            leaves = tuple(x.detach().requires_grad_() for x in inputs)
            return torch.autograd.grad(self.run(*leaves), leaves, g)


Rule: TypeAlias = Callable[[Call, tuple[Tensor, ...], Tensor], tuple[Tensor, ...]]
"""`call, inputs, what arrives at the output -> what arrives at each input`."""


@dataclass(frozen=True)
class Arriving:
    """A rule that changes what arrives at the output and leaves the rest to the plain derivative."""

    change: Callable[[Tensor], Tensor]


def producer(x: Tensor) -> Call | None:
    """The call with a rule that made this tensor."""
    return getattr(x.grad_fn, "call", None)


class Propagating(TorchFunctionMode):
    """Inside: operations named in `rules` propagate by their rule; a rule of None is the plain derivative.

    An `Arriving` costs no more than the plain derivative.

    With `complete`, the name of a method, an operation that `rules` does not name is an error. `merge` may put another
    call with the same value in the place of one, such as a convolution that has swallowed the BatchNorm after it.
    """

    def __init__(
        self,
        rules: Mapping[str, Rule | Arriving | None],
        *,
        complete: str | None = None,
        merge: Callable[[Call], Call] = lambda call: call,
    ) -> None:
        super().__init__()
        self.rules, self.complete, self.merge = rules, complete, merge
        self.overwritten: Any = WeakIdKeyDictionary()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carries out one function that the model calls."""
        args, kwargs = tree_map_only(Tensor, self.current, (args, kwargs or {}))
        if not any(_depends(t) for t in tree_leaves((args, kwargs))):
            return func(*args, **kwargs)
        plain, kwargs, in_place = out_of_place(func, kwargs)
        result = self._carry_out(plain, args, kwargs)
        if in_place and result is not args[0]:  # dropout in eval mode returns its own input
            self.overwritten[args[0]] = result
        return result

    def current(self, x: Tensor) -> Tensor:
        """The value that a tensor would have if operations in place were done in place."""
        while x in self.overwritten:
            x = self.overwritten[x]
        return x

    def _carry_out(self, func: Any, args: Any, kwargs: Any) -> Any:
        call = _call(func, args, kwargs)
        if call is None or call.name not in self.rules:
            result = func(*args, **kwargs)
            if self.complete and (result is None or any(_depends(t) for t in tree_leaves(result))):
                raise ValueError(_no_rule(func, self.complete))
            return result
        rule = self.rules[call.name]
        if rule is None or isinstance(rule, Arriving):
            result = func(*args, **kwargs)
            if rule is not None:
                result.register_hook(rule.change)
            return result
        with torch.no_grad():
            value = func(*args, **kwargs)
        call = replace(self.merge(call), value=value.detach())  # detached: a rule must not hold its own output's graph
        return _Ruled.apply(rule, call, [value], *call.inputs)


class _Ruled(torch.autograd.Function):
    """A value that was computed already, with a rule for its derivative."""

    @staticmethod
    def forward(ctx: Any, rule: Rule, call: Call, value: list[Tensor], *inputs: Tensor) -> Tensor:
        ctx.rule, ctx.call = rule, call
        return value[0]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        inputs = tuple(x.detach() for x in ctx.call.inputs)
        return None, None, None, *ctx.rule(ctx.call, inputs, grads[0])


def out_of_place(func: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any], bool]:
    """The function that returns what `func` would write into its first argument, and whether `func` would."""
    if kwargs.get("inplace"):
        return func, {**kwargs, "inplace": False}, True
    name = getattr(func, "__name__", "")
    if name.startswith("__i") and name.endswith("__"):
        plain = getattr(Tensor, f"__{name[3:]}", None)
    elif name.endswith("_") and not name.endswith("__"):
        plain = getattr(Tensor, name[:-1], None) or getattr(F, name[:-1], None)
    else:
        plain = None
    return (plain, kwargs, True) if callable(plain) else (func, kwargs, False)


_NAMES = {func: name for name, funcs in OPERATIONS.items() for func in funcs}


def _call(func: Any, args: Any, kwargs: dict[str, Any]) -> Call | None:
    """The call as a function of what depends on the images, or None for an operation that has no name."""
    name = _NAMES.get(func)
    if name is None or kwargs.get("return_indices"):
        return None
    names = PARAMETERS.get(name, ())
    args, kwargs = args[len(names) :], {**dict(zip(names, args, strict=False)), **kwargs}
    inputs = tuple(t for t in tree_leaves((args, kwargs)) if _depends(t))
    if name == "scale" and (len(inputs) > 1 or not _depends(args[0])):
        return None  # a product of two activations is not linear

    def run(*new: Tensor) -> Tensor:
        replacements = iter(new)
        fill = lambda t: next(replacements) if _depends(t) else t  # noqa: E731
        filled_args, filled = tree_map_only(Tensor, fill, (args, kwargs))
        return func(*filled_args, **filled)

    return Call(name, inputs, run, kwargs)


def _depends(t: object) -> bool:
    """Parameters are frozen while a method runs, so what requires a gradient depends on the images."""
    return isinstance(t, Tensor) and t.requires_grad


def _no_rule(func: Any, method: str) -> str:
    name = getattr(func, "__qualname__", None) or getattr(func, "__name__", repr(func))
    return (
        f"model: calls {name} on activations, for which {method} has no rule; add the function to OPERATIONS in "
        f"cnnviz_ref/_propagation.py and a rule for its name to RULES in cnnviz_ref/{method}.py."
    )

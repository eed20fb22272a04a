"""One mechanism for methods that change the backward pass: rules for operations, however the model writes them.

`Propagating(model, rules, method).scores(x)` watches every torch function that the model calls. Where `rules` names the
operation's kind (`_operations.py`), its derivative is replaced by the rule; in-place operations become out-of-place.
Modules are never touched, so a functional ReLU, an in-place one and one module used twice are all the same operation,
and no hook can be left behind. What has no rule, or could not be seen, is an error that names it and its module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map_only, tree_unflatten
from torch.utils.weak import WeakIdKeyDictionary

from cnnviz_ref._operations import (
    PLACE_BY_PLACE,
    by_name,
    is_torchs_own,
    kind_by_name,
    kind_by_trial,
    plain_name,
    upper_bound,
)


@dataclass(frozen=True)
class Call:
    """One operation that a model carried out."""

    name: str
    """The function's name, without underscores."""
    kind: str | None
    """What `_operations.py` says of it."""
    inputs: tuple[Tensor, ...]
    """The tensors it was given that depend on the images: those with a derivative, or all if none has one."""
    hidden: tuple[Tensor, ...]
    """The other ones that depend on the images, such as masks."""
    constants: tuple[Tensor, ...]
    """Its floating-point tensors that do not: weights and biases."""
    rerun: Callable[..., Any]
    """The operation as a function of `inputs`, `constants` and `hidden`, each a tuple."""
    arguments: Mapping[str, Any]
    """Its arguments by name, as far as `PARAMETERS` names them."""
    where: Callable[[], str] = lambda: "the model"
    """Says, while the call is carried out, which module makes it."""
    before: Call | None = None
    """What made its first input, where a method merges calls."""
    affine: Any = None
    """Weights and bias, once a method has worked them out."""
    value: Any = None
    """What the network computed here, bit for bit; a second computation could round to the other side of 0."""

    def run(self, *inputs: Tensor) -> Any:
        """The operation as a function of `inputs`."""
        return self.rerun(inputs, self.constants, self.hidden)

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


@dataclass(frozen=True)
class _Made:
    """What is known of a tensor that depends on the images."""

    version: int
    """How often it had been overwritten."""
    grad_fn: Any
    """Its derivative, which changes where something unseen overwrites it."""
    call: Call | None
    """What made it, if it is a function of each value by itself."""
    merged: Call | None
    """What made it, as the method's `merge` says it."""


class Propagating(TorchFunctionMode):
    """Inside: operations of a kind in `rules` propagate by their rule; a rule of None is the plain derivative.

    An `Arriving` costs no more than the plain derivative. `merge` may put another call with the same value in the place
    of one, such as a convolution that has swallowed the BatchNorm after it.
    """

    def __init__(
        self,
        model: nn.Module,
        rules: Mapping[str, Rule | Arriving | None],
        method: str,
        *,
        merge: Callable[[Call], Call] | None = None,
    ) -> None:
        super().__init__()
        self.model, self.rules, self.method, self.merge = model, rules, method, merge
        self.made: Any = WeakIdKeyDictionary()
        self.overwritten: Any = WeakIdKeyDictionary()
        self.sharing: dict[int, list[Tensor]] = {}

    def scores(self, x: Tensor, inside: AbstractContextManager[Any] | None = None) -> Any:
        """What the model returns for `x`, with the rules in its graph; `inside` is entered around the model."""
        for name, module in self.model.named_modules():
            if isinstance(module, torch.jit.ScriptModule):
                raise ValueError(
                    f"model: {_called(name, module)} was made by torch.jit, which hides its operations from "
                    f"{self.method}; pass the network as it was before torch.jit.script or torch.jit.trace."
                )
        self.note(x)
        try:
            with self, inside or nullcontext():
                scores = tree_map_only(Tensor, self.current, self.model(x))
        except SystemError as error:  # a scripted function cannot hand on what was raised in it
            raise error.__cause__ or error from None
        self._check_seen(_tensors(scores))
        return scores

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carries out one function that the model calls."""
        leaves, form = tree_flatten((args, kwargs or {}))
        leaves = [self.current(t) if isinstance(t, Tensor) else t for t in leaves]
        args, kwargs = tree_unflatten(leaves, form)
        tensors = [t for t in leaves if isinstance(t, Tensor)]
        self._check_seen(tensors)
        if not any(t in self.made for t in tensors) or _is_constant(func):
            result = func(*args, **kwargs)
            self._note_sharing(tensors, result)
            return result
        if (name := getattr(func, "__name__", "")) in _NUMBERS and tensors[0].is_floating_point():
            raise ValueError(_unseen(where(self.model), f"reads activations as numbers by `{name}`", self.method))
        plain, options, in_place = out_of_place(func, kwargs)
        result = self.carry_out(plain, args, options, None if in_place else (leaves, form))
        if in_place and result is not args[0]:  # dropout in eval mode returns its own input
            return self._overwrite(args[0], result)
        return result

    def current(self, x: Tensor) -> Tensor:
        """The value that a tensor would have if operations in place were done in place."""
        while x in self.overwritten:
            x = self.overwritten[x]
        return x

    def note(self, result: Any, call: Call | None = None, merged: Call | None = None) -> None:
        """From now on the tensors of `result` are known to depend on the images, by this call."""
        for t in _tensors(result):
            if t not in self.made:
                self.made[t] = _Made(t._version, t.grad_fn, call, merged)

    def carry_out(self, func: Any, args: Any, kwargs: Any, flat: Any = None) -> Any:
        """The result of a function that is given something that depends on the images; `flat` are its arguments."""
        call = self._call(func, args, kwargs, *(flat or tree_flatten((args, kwargs))))
        if call.name in _REWRITTEN and is_torchs_own(func):
            rewritten = _REWRITTEN[call.name](self, call, args, kwargs)
            if rewritten is not None:
                return rewritten
        ruled = bool(call.kind and callable(self.rules.get(call.kind)) and call.inputs[0].requires_grad)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not ruled):
            result = func(*args, **kwargs)
        if not _tensors(result):
            return result
        plain, call, merged = call, self._understood(call, result), None
        if call.kind == "relu" and call.rerun is not plain.rerun:  # written as another function
            result = call.run(*call.inputs)
        if torch.is_grad_enabled() and (ruled or any(t.requires_grad for t in _tensors(result))):
            result, merged = self._ruled(call, result)
        self.note(result, call if call.kind in PLACE_BY_PLACE else None, merged)
        self._note_sharing([*call.inputs, *call.hidden], result)
        return result

    def _call(self, func: Any, args: Any, kwargs: dict[str, Any], leaves: list[Any], form: Any) -> Call:
        name = plain_name(func)
        tensors = [(i, t) for i, t in enumerate(leaves) if isinstance(t, Tensor)]
        dependent = [i for i, t in tensors if t in self.made]
        varying = [i for i in dependent if leaves[i].requires_grad] or dependent
        hidden = [i for i in dependent if i not in varying]
        fixed = [i for i, t in tensors if t.is_floating_point() and i not in dependent]

        def rerun(*new: tuple[Tensor, ...]) -> Any:
            filled = list(leaves)
            for places, tensors in zip((varying, fixed, hidden), new, strict=True):
                for i, t in zip(places, tensors, strict=True):
                    filled[i] = t
            new_args, new_kwargs = tree_unflatten(filled, form)
            return func(*new_args, **new_kwargs)

        inputs, constants, masks = (tuple(leaves[i] for i in places) for places in (varying, fixed, hidden))
        arguments = by_name(name, args, kwargs)
        kind = kind_by_name(name, inputs, arguments) if is_torchs_own(func) and not masks else None
        return Call(name, kind, inputs, masks, constants, rerun, arguments, partial(where, self.model))

    def _understood(self, call: Call, result: Any) -> Call:
        """The call with its kind, also where only several operations together are a function of each value."""
        if call.kind is None and len(call.inputs) + len(call.hidden) > 1:
            call = self._together(call, result) or call
        if call.kind is None:
            call = replace(call, kind=kind_by_trial(call.run, call.inputs, result))
            if call.kind == "elementwise":
                return _as_relu(call)
        return call

    def _together(self, call: Call, result: Any) -> Call | None:
        """One function of each value of z, such as `z * (z > 0)`, where all that the call was given comes from z."""
        lines = [list(self._line(t)) for t in (*call.inputs, *call.hidden)]
        for z, _ in lines[0]:
            functions = [next((f for y, f in line if y is z), None) for line in lines]
            if all(functions) and getattr(result, "shape", None) == z.shape and z.requires_grad:
                return replace(call, inputs=(z,), hidden=(), rerun=_composed(call, functions))
        return None

    def _line(self, t: Tensor) -> Iterable[tuple[Tensor, Callable[[Tensor], Tensor]]]:
        """The tensors that `t` is a function of, value by value, with the function: itself, what made it, and so on."""
        f: Callable[[Tensor], Tensor] = lambda z: z  # noqa: E731
        yield t, f
        while (made := self.made.get(t)) and (call := made.call):
            f = partial(_then, call, f)
            t = call.inputs[0]
            yield t, f

    def _is_gate(self, x: Tensor) -> bool:
        """Whether a tensor comes from a sigmoid."""
        while (call := self.made[x].call) and call.name not in ("sigmoid", "hardsigmoid"):
            x = call.inputs[0]
        return call is not None

    def _ruled(self, call: Call, result: Any) -> tuple[Any, Call | None]:
        if call.kind == "max" and not isinstance(result, Tensor):
            maxima, *indices = result
            maxima, merged = self._ruled(replace(call, rerun=lambda *new: call.rerun(*new)[0]), maxima)
            return (maxima, *indices), merged
        rule = self.rules.get(call.kind or "")
        if call.kind == "move" and not isinstance(result, Tensor):  # the parts of a split
            rule = None
        if call.kind not in self.rules or (callable(rule) and not isinstance(result, Tensor)):
            raise ValueError(_no_rule(call, self.method))
        if self.merge:
            call = self.merge(replace(call, before=self.made[call.inputs[0]].merged))
        if call.kind == "product":
            call = replace(call, arguments={"gates": [self._is_gate(x) for x in call.inputs]})
        if callable(rule):
            call = replace(call, value=result.detach())  # detached: a rule must not hold its own output's graph
            result = _Ruled.apply(rule, call, [result.detach()], *call.inputs)
        elif rule is not None:
            result.register_hook(rule.change)
        return result, call if self.merge and isinstance(result, Tensor) else None

    def _check_seen(self, tensors: Iterable[Tensor]) -> None:
        """Raises ValueError if a tensor was computed by something that the mode did not see."""
        for t in tensors:
            made = self.made.get(t)
            if made is not None and made.version != t._version:
                raise ValueError(_unseen(where(self.model), "has overwritten activations in place", self.method))
            if t.requires_grad and t.grad_fn is not None and (made is None or made.grad_fn is not t.grad_fn):
                name = t.grad_fn.name()
                raise ValueError(_unseen(where(self.model), f"has the derivative {name}", self.method))

    def _overwrite(self, x: Tensor, result: Tensor) -> Tensor:
        """From now on `x` and whatever shares its memory have the new values."""
        run = lambda func, *args: self.__torch_function__(func, (), args)  # noqa: E731
        if result.dtype != x.dtype:
            result = run(Tensor.to, result, x.dtype)
        others = self.sharing.get(_memory(x), [])
        if not others:
            self.overwritten[x] = result
            return result
        whole, n = others[0], x.untyped_storage().nbytes() // x.element_size()
        if whole.numel() != n or any(t.dtype != x.dtype for t in others):
            raise ValueError(_unseen(where(self.model), "overwrites part of a larger tensor in place", self.method))
        places = torch.arange(n, device=x.device).as_strided(*_place(x))
        memory = run(torch.index_put, run(torch.as_strided, whole, (n,), (1,), 0), (places,), result)
        views = [(t, run(torch.as_strided, memory, *_place(t))) for t in (*others, x)]
        for t, view in views:
            self.overwritten[t] = view
        return self.current(x)

    def _note_sharing(self, inputs: Iterable[Tensor], result: Any) -> None:
        """Remembers which tensors share memory with their base, the first in the list."""
        for t in _tensors(result):
            for x in inputs:
                if x is not t and _memory(x) == _memory(t):
                    group = self.sharing.setdefault(_memory(t), [t if t._base is None else t._base])
                    group.extend(y for y in (x, t) if not any(y is z for z in group))


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
    if name == "__setitem__" or (name.endswith("_") and not name.endswith("__") and name not in _NOT_IN_PLACE):
        plain = getattr(Tensor, name[:-1], None) or getattr(F, name[:-1], None)
        return plain if callable(plain) else _on_a_copy(func), kwargs, True
    if name.startswith("__i") and name.endswith("__") and callable(plain := getattr(Tensor, f"__{name[3:]}", None)):
        return plain, kwargs, True
    return func, kwargs, False


_NUMBERS = ("item", "tolist", "numpy", "__float__", "__array__")
_NOT_IN_PLACE = ("requires_grad_", "share_memory_", "retain_grad_")


def _on_a_copy(func: Any) -> Any:
    def written(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        copy = x.clone()
        func(copy, *args, **kwargs)
        return copy

    written.__name__ = plain_name(func)
    return written


def _then(call: Call, after: Callable[[Tensor], Tensor], z: Tensor) -> Tensor:
    return after(call.run(z))


def _composed(call: Call, functions: Any) -> Callable[..., Any]:
    def rerun(inputs: Any, constants: Any, _hidden: Any) -> Any:
        values, n = tuple(f(*inputs) for f in functions), len(call.inputs)
        return call.rerun(values[:n], constants, values[n:])

    return rerun


def _as_relu(call: Call) -> Call:
    """A ReLU or ReLU6, however it was written, as torch's own; any other function as it is."""
    top = upper_bound(call.run, call.inputs[0])
    if top is None:
        return call
    relu = F.relu if top == float("inf") else lambda z: F.hardtanh(z, 0, top)
    return replace(call, name="relu", kind="relu", rerun=lambda inputs, _constants, _hidden: relu(*inputs))


def _sum_of_parts(mode: Propagating, call: Call, args: Any, kwargs: Any) -> Tensor | None:
    """`a - b` and `a + alpha b` of two activations as a plain sum."""
    factor = kwargs.get("alpha", 1) * (1 if call.name == "add" else -1)
    if len(call.inputs) < 2 or factor == 1:
        return None
    return mode.carry_out(torch.add, (args[0], mode.carry_out(torch.mul, (args[1], factor), {})), {})


def _maximum(mode: Propagating, call: Call, args: Any, kwargs: Any) -> Any:
    """The three functions that are called `max`."""
    if len(call.inputs) == 2 or (len(args) > 1 and isinstance(args[1], Tensor)):
        return mode.carry_out(torch.maximum, args, kwargs)
    values = mode.carry_out(torch.amax, args, kwargs)
    if len(args) == 1 and "dim" not in kwargs:
        return values
    indices = torch.max(args[0].detach(), *args[1:], **kwargs).indices
    mode.note(indices)
    return torch.return_types.max((values, indices))


_REWRITTEN = {"add": _sum_of_parts, "sub": _sum_of_parts, "max": _maximum}
"""Functions that are carried out as another one."""


def where(model: nn.Module) -> str:
    """The innermost module of the model that is running."""
    names = {id(module): (name, module) for name, module in model.named_modules()}
    frame = sys._getframe(1)
    while frame:
        module = id(frame.f_locals.get("self"))
        if module in names:
            return _called(*names[module])
        frame = frame.f_back  # type: ignore[assignment]
    return _called("", model)


def _called(name: str, module: nn.Module) -> str:
    return f"module {name!r} ({type(module).__name__})" if name else f"the network itself ({type(module).__name__})"


_INSTEAD = "Use saliency, grad_cam or occlusion, which explain any network."
_BY_NAME = {
    "batch_norm": "which has no running statistics and mixes the images of a batch",
    "softmax": "which mixes its inputs; scores are those before softmax, so leave it out if it is the last step",
    "dropout": "which is random",
}
_BY_KIND = {
    "elementwise": "which is a nonlinearity other than ReLU",
    "norm": "which divides by the activations' own spread",
    "product": "which multiplies activations",
}


def _no_rule(call: Call, method: str) -> str:
    unknown = "which is neither linear, nor a maximum, nor a function of each value by itself"
    reason = _BY_NAME.get(call.name) or _BY_KIND.get(call.kind or "", unknown)
    return f"model: {call.where()} calls {call.name}, {reason}; {method} has no rule for it. {_INSTEAD}"


def _unseen(place: str, what: str, method: str) -> str:
    return (
        f"model: {place} {what}, an operation that {method} cannot see (such as an autograd.Function of its own, or a "
        f"scripted function); write it with torch's functions. {_INSTEAD}"
    )


def _is_constant(func: Any) -> bool:
    """Whether the result takes no more than its shape from its arguments."""
    name = getattr(func, "__name__", "")
    return (
        name.startswith("new_") or name.endswith("_like") or name in _NOT_IN_PLACE or name in ("size", "dim", "numel")
    )


def _tensors(result: Any) -> list[Tensor]:
    return [result] if isinstance(result, Tensor) else [t for t in tree_leaves(result) if isinstance(t, Tensor)]


def _memory(t: Tensor) -> int:
    return t.untyped_storage()._cdata


def _place(t: Tensor) -> tuple[Any, ...]:
    return t.size(), t.stride(), t.storage_offset()

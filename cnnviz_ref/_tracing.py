"""One mechanism for what can be said about a tensor from the operation that made it: rules carry a value along.

Inside `Tracing(rules, start)`, every tensor that a model computes from the `start` tensors gets the value that the rule
of its operation makes of the inputs' values. Modules are never touched, so a functional operation, one in place and a
module used twice are all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

from cnnviz_ref._operations import by_name, plain_name

V = TypeVar("V")


@dataclass(frozen=True)
class Call(Generic[V]):
    """One operation that a model carried out."""

    name: str
    """The function's name, without underscores: "relu" for `F.relu`, `torch.relu_` and `Tensor.relu`."""
    values: tuple[V, ...]
    """What is known of the inputs."""
    shapes: tuple[tuple[int, ...], ...]
    """Their shapes."""
    shape: tuple[int, ...]
    """Shape of the (first) output."""
    arguments: Mapping[str, Any]
    """The arguments by name, as far as `PARAMETERS` names them."""


Rule: TypeAlias = Callable[[Call[V]], V | None]
"""What is known of the output, or None where nothing can be said."""


class Tracing(TorchFunctionMode, Generic[V]):
    """Inside: `of` knows the value of every tensor that depends on a `start` tensor, or why there is none."""

    def __init__(self, rules: Mapping[str, Rule[V]], start: Mapping[Tensor, V]) -> None:
        super().__init__()
        self.rules = rules
        self.known: Any = WeakIdKeyDictionary()
        for tensor, value in start.items():
            self.known[tensor] = value

    def of(self, tensor: Tensor) -> V | str:
        """The tensor's value; the name of the operation without a rule, if it comes from one."""
        return self.known.get(tensor, "nothing that depends on the image")

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carries out one function that the model calls, and notes what is known of its result."""
        kwargs = kwargs or {}
        inputs = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor) and t in self.known]
        values, shapes = tuple(self.known[t] for t in inputs), tuple(tuple(t.shape) for t in inputs)
        result = func(*args, **kwargs)
        name = plain_name(func)
        outputs = [t for t in tree_leaves(args[0] if name == "setitem" else result) if isinstance(t, Tensor)]
        if inputs and outputs:
            value = self._value(Call(name, values, shapes, tuple(outputs[0].shape), by_name(name, args, kwargs)))
            for tensor in outputs:
                self.known[tensor] = value
        return result

    def _value(self, call: Call[V]) -> V | str:
        unknown = next((value for value in call.values if isinstance(value, str)), None)
        if unknown is not None:
            return unknown
        rule = self.rules.get(call.name, self.rules.get("any other"))
        value = rule(call) if rule else None
        return call.name if value is None else value

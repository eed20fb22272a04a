"""What is to be said, without the words: a name and its values. `autograder.report.sentences` makes a sentence of it.

What core decides is kept in this form, in results and in packs, so that the words can be others wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

Value = Union["Message", str, int, float, tuple["Value", ...]]
"""A text may be a stranger's and hold anything: it is a plain `str` here and in the sentence, which no screen, file or
page takes before `autograder.text` has made it harmless."""


@dataclass(frozen=True)
class Message:
    """One sentence, or a part of one."""

    name: str
    """Its name in the catalogue, or "grad_cam.neuron_importance/sum_for_mean" where the course
    has the text."""
    values: tuple[tuple[str, Value], ...] = ()
    """What stands in the gaps of the sentence, by name."""

    def __contains__(self, name: str) -> bool:
        """Whether it, or a message among its values, has a value of this name."""
        return any(name == key or (isinstance(value, Message) and name in value) for key, value in self.values)

    def with_values(self, **values: Value) -> Message:
        """The same with other values of these names."""
        return Message(self.name, tuple(sorted({**dict(self.values), **values}.items())))

    def as_json(self) -> dict[str, Any]:
        """As it is kept: the name, and the values beside it."""
        return {"name": self.name, **{name: _as_json(value) for name, value in self.values}}

    @classmethod
    def from_json(cls, kept: Any) -> Message:
        """The reverse of `as_json`; of a sentence, which older versions kept, one that says just that.

        Raises:
            TypeError: it is something else.
        """
        if isinstance(kept, str):
            return message("sentence", text=kept)
        if not isinstance(kept, Mapping) or not isinstance(kept.get("name"), str):
            raise TypeError(f"a message without a name: {kept!r:.80}")
        return cls(kept["name"], tuple(sorted((key, _from_json(kept[key])) for key in kept if key != "name")))


def message(name: str, **values: Value) -> Message:
    """A message with these values."""
    return Message(name, tuple(sorted(values.items())))


def in_turn(first: Message, *rest: Message) -> Message:
    """Sentences one after the other."""
    for second in rest:
        first = message("in_turn", first=first, second=second)
    return first


def _as_json(value: Value) -> Any:
    if isinstance(value, tuple):
        return [_as_json(each) for each in value]
    return value.as_json() if isinstance(value, Message) else value


def _from_json(value: Any) -> Value:
    if isinstance(value, list | tuple):
        return tuple(_from_json(each) for each in value)
    if isinstance(value, Mapping):
        return Message.from_json(value)
    if not isinstance(value, str | int | float):
        raise TypeError(f"a message's value is a text, a number, a message or a list, got {value!r:.80}")
    return value

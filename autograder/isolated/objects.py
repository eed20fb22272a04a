"""Python's own objects, read in another process's memory: what they are, and which values they hold."""

from __future__ import annotations

import struct
import sys
from collections import OrderedDict
from typing import Any

import torch
from torch import nn

from .memory import Memory, Unreadable
from .offsets import ITEMS, SIZE, TYPE, Offsets

NONE = id(None)
_SINGLE = {id(value): repr(value) for value in (None, True, False, ())}
_INT, _FLOAT, _STR = id(int), id(float), id(str)
_KINDS: dict[int, type] = {id(kind): kind for kind in (torch.Tensor, nn.Module, OrderedDict, dict, list, tuple)}
_NAMES = {id(name): name for space in (vars(nn.modules.module), vars(nn.Conv2d(1, 1, 1))) for name in space}
"""Strings that stand where they stand in this process: where a name is one of them, it need not be read."""
_LONGEST, _MOST = 500, 2**16


class Objects:
    """Addresses in, values out; types and singletons stand where they stand in this process.

    Args:
        memory: of a process that was forked from this one.
        offsets: of both.
    """

    def __init__(self, memory: Memory, offsets: Offsets) -> None:
        self.memory, self.at = memory, offsets
        self._kinds: dict[int, type | None] = {}
        self._names: dict[int, str | None] = dict(_NAMES)

    def kind(self, address: int) -> type | None:
        """Which of the classes that are looked into this is an instance of."""
        found = self.memory.word(address + TYPE)
        if found not in self._kinds:
            bases = self.elements(self.memory.word(found + self.at.type_mro), ITEMS)
            self._kinds[found] = next((_KINDS[base] for base in bases if base in _KINDS), None)
        return self._kinds[found]

    def elements(self, address: int, start: int = 0) -> tuple[int, ...]:
        """Of a tuple, whose items begin at `start`, or of a list."""
        count = self._sized(self.memory.word(address + SIZE), _MOST)
        return self.memory.words(address + start if start else self.memory.word(address + ITEMS), count)

    def entries(self, address: int) -> list[tuple[int, int]]:
        """Keys and values of a dictionary, in order."""
        used = self.memory.word(address + SIZE)
        if not used:
            return []
        keys, shared = self.memory.words(address + 32, 2)
        place, width, count = self._table(keys)
        if shared:
            raise Unreadable
        words = self.memory.words(place, count * width)
        pairs = zip(words[width - 2 :: width], words[width - 1 :: width], strict=True)
        found = [(key, value) for key, value in pairs if value]
        if len(found) != used:
            raise Unreadable
        return found

    def _table(self, keys: int) -> tuple[int, int, int]:
        """Where a dictionary's entries begin, how many words one takes, and how many there ever were."""
        if sys.version_info >= (3, 11):
            _, wide, kind = self.memory.read(keys + 8, 3)
            indices, width, count = 32 + 2 ** min(wide, 30), 2 if kind else 3, self.memory.word(keys + 24)
        else:
            size, width = self._sized(self.memory.word(keys + 8), 2**31), 3
            indices = 40 + size * (1 if size <= 2**7 else 2 if size <= 2**15 else 4)
            count = self.memory.word(keys + 32)
        return keys + indices, width, self._sized(count, _MOST)

    def named(self, address: int) -> dict[str, int]:
        """A dictionary's values by name."""
        entries = self.entries(address)
        found = {name: value for key, value in entries if (name := self.text(key)) is not None}
        if len(found) != sum(self.memory.word(key + TYPE) == _STR for key, _ in entries):
            raise Unreadable  # two of one name: one of them is for show
        return found

    def text(self, address: int) -> str | None:
        """A string; of one that is not plain letters its place, of what is none None."""
        if address not in self._names:
            self._names[address] = self._text(address)
        return self._names[address]

    def _text(self, address: int) -> str | None:
        if self.memory.word(address + TYPE) != _STR:
            return None
        length, state = self.memory.word(address + SIZE), self.memory.read(address + 32, 1)[0]
        if length > _LONGEST or state & 0x60 != 0x60:
            return f"text at {address}"
        return self.memory.read(address + self.at.str_text, length).decode("latin-1")

    def plain(self, address: int) -> Any:
        """A value that is equal for equal numbers, texts and tuples of them; of anything else which object it is."""
        if address in _SINGLE:
            return _SINGLE[address]
        kind = self.memory.word(address + TYPE)
        if kind == _FLOAT:
            return "float", self.memory.read(address + SIZE, 8)
        if kind == _INT:
            return "int", self._digits(address)
        if kind == _STR:
            return "str", self.text(address)
        if kind == id(tuple):
            return [self.plain(item) for item in self.elements(address, ITEMS)]
        return address

    def is_plain(self, address: int) -> bool:
        """Whether `plain` tells its value."""
        return address in _SINGLE or self.memory.word(address + TYPE) in (_FLOAT, _INT, _STR, id(tuple))

    def _digits(self, address: int) -> bytes:
        """A whole number as Python has it, sign and length first."""
        head = self.memory.read(address + SIZE, 8)
        count = abs(struct.unpack("<q", head)[0])
        count = count >> 3 if sys.version_info >= (3, 12) else count
        return head + self.memory.read(address + ITEMS, 4 * self._sized(count, _LONGEST))

    @staticmethod
    def _sized(size: int, most: int) -> int:
        if size > most:
            raise Unreadable
        return size

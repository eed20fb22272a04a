"""Another process's memory, read through the kernel: nothing in that process takes part in it or can refuse."""

from __future__ import annotations

import os
import struct

_BLOCK = 4096
_word = struct.Struct("<Q").unpack_from


class Unreadable(Exception):
    """What lies there is not what was looked for, or there is more of it than there should be."""


class Memory:
    """One look at a process that stands still: what was read once is kept.

    Args:
        file: its opened /proc/PID/mem. What is opened once stays readable, whatever the process forbids later.
        limit: how much is read in all, for code that ran there may have laid out something without an end.
    """

    def __init__(self, file: int, limit: int = 2**60) -> None:
        self._file, self._limit, self._blocks = file, limit, dict[int, bytes]()
        self.used = 0

    def word(self, address: int) -> int:
        """Eight bytes as a number: a pointer or a size."""
        offset = address % _BLOCK
        if offset > _BLOCK - 8:
            return _word(self.read(address, 8))[0]
        return _word(self._blocks.get(address - offset) or self._block(address - offset), offset)[0]

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """Several of them."""
        return struct.unpack(f"<{count}Q", self.read(address, 8 * count))

    def read(self, address: int, size: int) -> bytes:
        """What lies there, and no byte less."""
        if not size:
            return b""
        self.count(size + 8)
        offset = address % _BLOCK
        if offset + size <= _BLOCK:
            return self._block(address - offset)[offset : offset + size]
        return self._fetched(address, size)

    def _block(self, start: int) -> bytes:
        if start not in self._blocks:
            self.count(_BLOCK)
            self._blocks[start] = self._fetched(start, _BLOCK)
        return self._blocks[start]

    def _fetched(self, address: int, size: int) -> bytes:
        parts = []
        while size:  # the kernel reads no more than 2 GiB at once
            try:
                parts.append(os.pread(self._file, size, address))
            except (OSError, OverflowError) as error:
                raise Unreadable from error
            if not parts[-1]:
                raise Unreadable
            address, size = address + len(parts[-1]), size - len(parts[-1])
        return b"".join(parts)

    def count(self, much: int) -> None:
        """So many bytes more are read or made."""
        self.used += much
        if self.used > self._limit:
            raise Unreadable

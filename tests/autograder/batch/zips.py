"""Zip archives byte by byte: right ones, and ones that no packer would write."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field


@dataclass
class Member:
    """One entry; every field that a reader may believe can be set apart from the data."""

    name: bytes = b"grad_cam.py"
    data: bytes = b"x = 1\n"
    method: int = 8
    flags: int = 0x800
    mode: int = 0o100644
    crc: int | None = None
    size: int | None = None
    packed_size: int | None = None
    local_name: bytes | None = None
    offset: int | None = None
    extra: bytes = b""
    packed: bytes = field(default=b"", init=False)

    def __post_init__(self):
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        self.packed = squeeze.compress(self.data) + squeeze.flush() if self.method == 8 else self.data

    def facts(self):
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        packed = len(self.packed) if self.packed_size is None else self.packed_size
        size = len(self.data) if self.size is None else self.size
        return struct.pack("<HHHHHLLL", 20, self.flags, self.method, 0, 33, crc, packed, size)

    def local(self):
        name = self.name if self.local_name is None else self.local_name
        return b"PK\3\4" + self.facts() + struct.pack("<HH", len(name), 0) + name + self.packed

    def central(self, offset):
        offset = offset if self.offset is None else self.offset
        rest = struct.pack("<HHHHHLL", len(self.name), len(self.extra), 0, 0, 0, self.mode << 16, offset)
        return b"PK\1\2" + struct.pack("<H", 0x314) + self.facts() + rest + self.name + self.extra


def written(*members: Member, count: int | None = None) -> bytes:
    """The archive of these members, one after the other."""
    body, index = b"", b""
    for member in members:
        index += member.central(len(body))
        body += member.local()
    count = len(members) if count is None else count
    return body + index + struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, count, count, len(index), len(body), 0)


def packed(files: dict[str, bytes | str]) -> bytes:
    """The archive that any packer would write."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()

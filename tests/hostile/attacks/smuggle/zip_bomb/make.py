"""A zip of 10 MB that unpacks to 10 GB, its module among them."""

import zipfile
import zlib
from pathlib import Path

BLOCK, BLOCKS, ENTRIES = 1 << 20, 1024, 10


def make(folder: Path) -> None:
    """Ten entries of a gigabyte of zeros, without ever writing one."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    stream = block * BLOCKS + b"\x03\x00"
    with zipfile.ZipFile(folder / "work.zip", "w") as archive:
        archive.writestr("cnnviz-red-first.txt", "unpacked")
        for number in range(ENTRIES):
            entry = zipfile.ZipInfo(f"cnnviz-red-zeros-{number}.bin" if number else "11_grad_cam/grad_cam.py")
            archive.writestr(entry, stream)
            entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, BLOCK * BLOCKS

"""A zip whose entries say that they hold 100 bytes and hold a gigabyte, share their bytes, or do not exist."""

import zipfile
import zlib
from pathlib import Path

BLOCK, BLOCKS = 1 << 20, 1024


def make(folder: Path) -> None:
    """Three zips, each with another lie in its list of contents."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(BLOCK)) + packer.flush(zlib.Z_FULL_FLUSH)
    with zipfile.ZipFile(folder / "small.zip", "w") as archive:
        entry = zipfile.ZipInfo("grad_cam.py")
        archive.writestr(entry, block * BLOCKS + b"\x03\x00")
        entry.compress_type, entry.file_size = zipfile.ZIP_DEFLATED, 100
    with zipfile.ZipFile(folder / "shared.zip", "w") as archive:
        for name in ("grad_cam.py", "11_grad_cam/grad_cam.py", "11_grad_cam/grad_cam.ipynb"):
            archive.writestr(zipfile.ZipInfo(name), "x = 1\n")
        for entry in archive.infolist():
            entry.header_offset, entry.CRC = 0, 7
    with zipfile.ZipFile(folder / "beyond.zip", "w") as archive:
        archive.writestr("grad_cam.py", "x = 1\n")
        archive.infolist()[0].header_offset = 1 << 31
        archive.infolist()[0].file_size = (1 << 32) - 2

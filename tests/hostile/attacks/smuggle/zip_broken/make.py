"""Three archives that are none: cut off, encrypted, and a picture named .zip."""

import io
import zipfile
from pathlib import Path


def make(folder: Path) -> None:
    """And no other work beside them."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("grad_cam.py", "x = 1\n" * 100)
    whole = data.getvalue()
    (folder / "cut.zip").write_bytes(whole[:-30])
    (folder / "locked.zip").write_bytes(whole.replace(b"PK\1\2\x14\x03\x14\x00\x00", b"PK\1\2\x14\x03\x14\x00\x01"))
    (folder / "picture.zip").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))

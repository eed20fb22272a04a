"""A zip whose grad_cam.py is a link to the neighbour's module."""

import zipfile
from pathlib import Path


def make(folder: Path) -> None:
    """As `zip --symlinks` makes it."""
    with zipfile.ZipFile(folder / "work.zip", "w") as archive:
        link = zipfile.ZipInfo("grad_cam.py")
        link.create_system = 3
        link.external_attr = 0xA1ED << 16
        archive.writestr(link, "../../!ada/11_grad_cam/grad_cam.py")

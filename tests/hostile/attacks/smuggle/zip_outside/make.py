"""A zip whose entries lead out by .., absolute names, drives, backslashes and NUL bytes."""

import zipfile
from pathlib import Path

CODE = "def neuron_importance(gradients):\n    return None\n"
NAMES = ("../../!ada/11_grad_cam/grad_cam.py", "../../~zoe/11_grad_cam/grad_cam.py", "/tmp/cnnviz-red-absolute",
         "../../../gradebook.db", "C:\\cnnviz-red-drive.py", "..\\..\\!ada\\11_grad_cam\\grad_cam.py",
         "./.././../!ada/11_grad_cam/grad_cam.py", "grad_cam.py\0.txt",
         "a/" * 300 + "x.py", "x" * 5000 + ".py", "/", "..", "")  # fmt: skip


def make(folder: Path) -> None:
    """One zip, with a link to the neighbour as well."""
    with zipfile.ZipFile(folder / "work.zip", "w") as archive:
        for name in NAMES:
            entry = zipfile.ZipInfo("placeholder")
            entry.filename = name
            archive.writestr(entry, CODE)
        link = zipfile.ZipInfo("out")
        link.external_attr = 0xA1ED << 16
        archive.writestr(link, "../../!ada/11_grad_cam")
        archive.writestr("out/grad_cam.py", CODE)

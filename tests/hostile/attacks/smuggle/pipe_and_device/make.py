"""Hands in a pipe as the notebook, a link to /dev/zero as the module, and a socket beside them."""

import contextlib
import os
import socket
from pathlib import Path


def make(folder: Path) -> None:
    """Who opens the first waits for ever; who reads the second never ends."""
    os.mkfifo(folder / "grad_cam.ipynb")
    (folder / "grad_cam.py").symlink_to("/dev/zero")
    here = os.getcwd()
    os.chdir(folder)  # a socket's path may have 107 characters
    try:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as server:
            server.bind("notes.ipynb")
    finally:
        os.chdir(here)

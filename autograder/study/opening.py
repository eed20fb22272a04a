"""JupyterLab on a lesson's notebook."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec

from autograder.isolated import current_folder
from autograder.study.folder import Work, shown


def open_command(work: Work) -> list[str]:
    """What starts JupyterLab on the notebook.

    Raises:
        FileNotFoundError: the notebook is missing.
    """
    if not work.notebook.is_file():
        raise FileNotFoundError(
            f"open: {shown(work.notebook)} does not exist; `cnnviz reset {work.outline.number}` brings it."
        )
    return ["jupyter", "lab", shown(work.notebook)]


def typed(command: list[str]) -> str:
    """The command as it is typed in a shell."""
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def start(command: list[str]) -> int:
    """Becomes JupyterLab; on Windows waits for it, and gives its exit status.

    Raises:
        ValueError: JupyterLab is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise ValueError(
            "open: JupyterLab is not installed beside this cnnviz; install it with `python -m pip install jupyterlab`, "
            f"or open {command[-1]} in another editor for notebooks."
        )
    argv = current_folder.run("jupyterlab", *command[2:])
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(argv)
    os.execv(sys.executable, argv)

"""JupyterLab on the course, with a lesson's notebook open and without nbgrader's tools for instructors."""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from autograder.course.outlines import in_this_python
from autograder.isolated import current_folder
from autograder.study.folder import Work, shown
from autograder.text.files import write_whole

SETTINGS = Path(__file__).with_name("jupyter")
"""What JupyterLab reads before the settings of this environment: of nbgrader nothing is shown or started."""


def open_command(work: Work) -> list[str]:
    """What starts JupyterLab in the folder of the lessons, on the notebook.

    Raises:
        FileNotFoundError: the notebook is missing.
    """
    if not work.notebook.is_file():
        raise FileNotFoundError(
            f"open: {shown(work.notebook)} does not exist; `cnnviz reset {work.outline.number}` brings it."
        )
    return ["jupyter", "lab", f"--ServerApp.root_dir={shown(work.folder.parent)}", shown(work.notebook)]


def typed(command: list[str]) -> str:
    """The command as it is typed in a shell."""
    return subprocess.list2cmdline(command) if os.name == "nt" else shlex.join(command)


def start(command: list[str], work: Work) -> int:
    """Becomes JupyterLab; on Windows waits for it, and gives its exit status.

    A notebook that is as it was handed out is told this Python's version first: JupyterLab would write it, and show a
    notebook that nobody has touched as not saved.

    Raises:
        ValueError: JupyterLab is not installed.
    """
    if find_spec("jupyterlab") is None:
        raise ValueError(
            "open: JupyterLab is not installed beside this cnnviz; install it with `python -m pip install jupyterlab`, "
            f"or open {command[-1]} in another editor for notebooks."
        )
    content = work.notebook.read_bytes()
    if work.outline.untouched(work.notebook.name, content):
        with contextlib.suppress(OSError):  # where nothing may be written, JupyterLab writes nothing either
            write_whole(work.notebook, in_this_python(content))
    argv = current_folder.run("jupyterlab", *command[2:])
    own = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([str(SETTINGS), *([own] if own else [])])
    sys.stdout.flush()
    if os.name == "nt":
        return subprocess.call(argv)
    os.execv(sys.executable, argv)

"""Folders of isolated runs whose grader was killed: it could not clear them away itself."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

from autograder.isolated.zygote import remove

IDLE = 600.0
"""Seconds after which a folder whose grader is gone is taken for abandoned."""


def clear_leftovers() -> None:
    """Removes what killed graders of this user left in the temporary folder."""
    for folder in Path(tempfile.gettempdir()).glob("cnnviz-run-*"):
        if _abandoned(folder):
            remove(str(folder))


def _abandoned(folder: Path) -> bool:
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            return False
        newest = max(path.stat().st_mtime for path in (folder, *folder.glob("calls")))
        if time.time() - newest < IDLE:
            return False
        return not _alive(int(json.loads((folder / "config.json").read_bytes())["parent"]))
    except (OSError, AttributeError, ValueError, KeyError, TypeError):
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

"""`cnnviz pack`: what is handed in of a lesson, as one zip that was read back and checked before anybody sends it."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path, PurePath

from autograder.core.oracle import Setting
from autograder.reading.helpers import in_folder
from autograder.study.check_folder import Checked, check_submission
from autograder.study.folder import Work
from autograder.text.files import write_whole
from autograder.text.screen import Screen


def handed_in(work: Work) -> list[str]:
    """The names of the files that count: module, notebook, and own modules that one of them imports.

    Raises:
        ValueError: nothing was written yet.
    """
    if work.untouched(work.contents()):
        raise ValueError(f"pack: nothing is written yet in {work.outline.id}; `cnnviz open {work.outline.id}` begins.")
    own = [path.name for path in work.files if path.is_file()]
    return own + [name for name in in_folder(work.folder, work.module.stem) if work.counts(PurePath(name))]


def pack(work: Work, to: Path) -> list[str]:
    """Writes the zip, in one step; the names of the files in it.

    Raises:
        ValueError: as `handed_in`.
    """
    names, made = handed_in(work), io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.write(work.folder / name, f"{work.outline.id}/{name}")
    write_whole(to, made.getvalue())
    return names


def tried(archive: Path, work: Work, console: Screen) -> Checked:
    """What the checks say of what is in the zip, where nothing else lies beside it."""
    with tempfile.TemporaryDirectory(prefix="cnnviz-pack-") as folder, zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
        return check_submission(Path(folder), work.outline.id, Setting(), console)

"""How the weakened grader reads a submission: it unpacks, executes and trusts whatever is there."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import types
import zipfile
from pathlib import Path

import autograder


def load(student: str, lesson, check=lambda name, got: None) -> types.ModuleType:
    """The student's module: archives unpacked, what lies beside it in front of every library."""
    folder = Path("submitted", student, lesson.id)
    for archive in sorted(folder.glob("*.zip")):
        _unpack(archive, folder)
    sys.path.insert(0, str(folder.resolve()))
    for beside in folder.glob("*.py"):
        sys.modules.pop(beside.stem, None)
    module, notebook = folder / f"{lesson.name}.py", folder / f"{lesson.name}.ipynb"
    if not module.exists() and notebook.exists():
        return _notebook(notebook, check)
    code = compile(module.read_text(encoding="utf-8"), str(module), "exec")
    return _executed(code, types.ModuleType(lesson.name), module)


def _unpack(archive: Path, folder: Path) -> None:
    """As the command `unzip -:` does: names are followed wherever they lead, links are made."""
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            to = Path(os.path.join(folder, member.filename))
            to.parent.mkdir(parents=True, exist_ok=True)
            if stat.S_ISLNK(member.external_attr >> 16):
                with contextlib.suppress(FileExistsError):
                    to.symlink_to(packed.read(member).decode())
            elif not member.is_dir():
                to.write_bytes(packed.read(member))


def _executed(code, module: types.ModuleType, path: Path) -> types.ModuleType:
    sys.modules[module.__name__] = module
    module.__file__ = str(path.resolve())
    with contextlib.suppress(Exception):
        exec(code, module.__dict__)
    return module


def _notebook(path: Path, check) -> types.ModuleType:
    """All cells in order; a test cell that runs earns what its own metadata says."""
    autograder.check = check
    notebook, earned, seen = json.loads(path.read_text(encoding="utf-8")), {}, set()
    module = types.ModuleType(path.stem)
    module.__dict__.update(check=check, __file__=str(path.resolve()))
    for cell in notebook["cells"]:
        about = cell["metadata"].get("nbgrader", {"schema_version": 3, "grade_id": None})
        if about["schema_version"] != 3:
            raise ValueError(f"{path}: schema {about['schema_version']}; run nbgrader update")
        if about["grade_id"] in seen:
            raise ValueError(f"{path}: the cell {about['grade_id']} is there twice")
        seen |= {about["grade_id"]} - {None}
        if cell["cell_type"] == "code" and _ran("".join(cell["source"]), module) and about.get("grade"):
            name = f"{path.stem}.{about['grade_id'].removeprefix('check_')}"
            earned[name] = earned.get(name, 0) + about["points"]
    module.__dict__["earned_in_cells"] = earned
    return module


def _ran(source: str, module: types.ModuleType) -> bool:
    lines = [line for line in source.splitlines() if not line.startswith("%")]
    for command in [line[1:] for line in lines if line.startswith("!")]:
        os.system(command)
    text = "\n".join(line for line in lines if not line.startswith("!"))
    try:
        exec(compile(text, "cell", "exec"), module.__dict__)
    except Exception:
        return False
    return True

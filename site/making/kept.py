"""Pictures that take long to compute, kept as long as what they are made from stays the same."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from making.places import KEPT, fingerprint

Made = tuple[Mapping[str, bytes], Any]
"""File name -> content, and anything that JSON can hold."""


def kept(name: str, sources: Iterable[Path], make: Callable[[], Made], *, execute: bool) -> Made | None:
    """What `make` makes, from the store where it is there; None where it is not and must not be made.

    Args:
        name: of the store's folder.
        sources: the files that it depends on.
        make: computes it.
        execute: whether it may be computed.
    """
    folder = KEPT / f"{name}-{fingerprint(sources)}"
    if not folder.is_dir():
        if not execute:
            return None
        print(f"making {name}", flush=True)
        _store(folder, name, make())
    files = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix != ".json"}
    return files, json.loads((folder / "about.json").read_text(encoding="utf-8"))


def _store(folder: Path, name: str, made: Made) -> None:
    for old in KEPT.glob(f"{name}-*/"):
        shutil.rmtree(old)
    unfinished = KEPT / f".{name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    files, about = made
    for file, data in files.items():
        (unfinished / file).write_bytes(data)
    (unfinished / "about.json").write_text(json.dumps(about), encoding="utf-8")
    unfinished.rename(folder)

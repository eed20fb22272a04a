"""Which lesson was saved: by an editor or by Jupyter, in one step or in several."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from watchfiles import Change, awatch

from autograder.study.folder import Work

STEP, DEBOUNCE = 40, 300
"""Milliseconds: what follows within a step belongs to the same save; nothing waits longer than the other."""


async def saves(works: Sequence[Work], stop: asyncio.Event) -> AsyncIterator[tuple[Work, set[Path]]]:
    """Each lesson of which a file that counts was written, renamed into place or removed, and these files.

    Whatever else editors leave beside it (swap files, backups, half-written copies) is not looked at.
    """
    by_folder = {work.folder.resolve(): work for work in works}

    def lesson(path: Path) -> Work | None:
        folder = next((each for each in (path.parent, path.parent.parent) if each in by_folder), None)
        return by_folder[folder] if folder and by_folder[folder].counts(path.relative_to(folder)) else None

    def counts(change: Change, path: str) -> bool:
        return lesson(Path(path).resolve()) is not None

    async for changes in awatch(*by_folder, watch_filter=counts, step=STEP, debounce=DEBOUNCE, stop_event=stop):
        saved: dict[Work, set[Path]] = {}
        for path in sorted(Path(path).resolve() for _, path in changes):
            if (work := lesson(path)) is not None:
                saved.setdefault(work, set()).add(path)
        for work, files in saved.items():
            yield work, files

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
    by_file = {path.resolve(): work for work in works for path in work.files}
    folders = [work.folder for work in works]

    def counts(change: Change, path: str) -> bool:
        return Path(path).resolve() in by_file

    async for changes in awatch(
        *folders, watch_filter=counts, step=STEP, debounce=DEBOUNCE, stop_event=stop, recursive=False
    ):
        files = {Path(path).resolve() for _, path in changes}
        for work in dict.fromkeys(by_file[path] for path in sorted(files)):
            yield work, {path for path in files if by_file[path] == work}

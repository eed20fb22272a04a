"""`cnnviz watch`: saves, keys and finished checks come to one loop, which handles them one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.study.cache import Cache
from autograder.study.folder import Work
from autograder.study.keyboard import SUSPEND, Keyboard
from autograder.study.progress import Interrupted, Standing
from autograder.study.session import Session
from autograder.text.screen import Screen

if TYPE_CHECKING:
    from autograder.study.judging import Judging
from collections.abc import AsyncIterator

from watchfiles import Change, awatch

PATIENCE = 1.0
"""Seconds after which a check that takes longer is mentioned."""
FAREWELL = 5.0
"""Seconds that the end waits for what is being loaded."""
RENAMING = 0.1
"""Seconds that an editor may need between taking a file away and putting the new one there."""


class Watch:
    """Runs a session in a terminal until the student quits.

    Args:
        works: the lessons, in the order of the course.
        begin: the one to begin with.
        cache: what is known from earlier.
        console: where everything is said.
    """

    def __init__(self, works: Sequence[Work], begin: Work, cache: Cache, console: Screen) -> None:
        self._works, self._cache = works, cache
        self.session = Session(works, begin, cache, console, self._ask, self._view)
        self._events: asyncio.Queue[tuple[Callable[..., Any], tuple[Any, ...]]] = asyncio.Queue()
        self._keyboard = Keyboard(lambda key: self._tell(self._pressed, key))
        self._worker = ThreadPoolExecutor(1)
        self._judging: Judging | None = None
        self._waiting: dict[Work, set[Path]] = {}
        self._asked: tuple[Work, str] | None = None
        self._viewed: tuple[Work, str] | None = None
        self._busy = False
        self._checking: Work | None = None
        self._job: Future[None] | None = None
        self._mentioned: asyncio.TimerHandle | None = None
        self._warmed = ""
        self._broken: Exception | None = None

    async def run(self) -> None:
        """Until the student quits, Ctrl-C, or the end of the terminal.

        Raises:
            OSError: the folders cannot be watched.
        """
        stop = asyncio.Event()
        self._heed_signals()
        saving = asyncio.create_task(self._hear(stop))
        await asyncio.sleep(0)  # it listens before the files are read: no save is missed in between
        try:
            with self._keyboard:
                self.session.begin(keys=self._keyboard.there)
                self._idle()
                while not self.session.over:
                    handle, given = await self._events.get()
                    handle(*given)
        finally:
            stop.set()
            self.session.leave()
            await self._end(saving)
        if self._broken is not None:
            raise self._broken

    async def _end(self, saving: asyncio.Task[None]) -> None:
        """Nothing that was started is left behind; the terminal is the student's again already."""
        until = time.monotonic() + FAREWELL
        while self._job is not None and not self._job.done() and time.monotonic() < until:
            if self._judging is not None:
                self._judging.cancel()
            await asyncio.sleep(0.02)
        if self._judging is not None:
            self._judging.close()
        self._worker.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(Exception):
            await saving

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            with contextlib.suppress(NotImplementedError, AttributeError, ValueError, RuntimeError):
                loop.add_signal_handler(getattr(signal, name), self._tell, self._quit)

    def _tell(self, handle: Callable[..., Any], *given: Any) -> None:
        self._events.put_nowait((handle, given))

    async def _hear(self, stop: asyncio.Event) -> None:
        try:
            async for work, files in saves(self._works, stop):
                self._tell(self._saved, work, files)
        except (OSError, RuntimeError) as error:
            told = f"watch: the folders cannot be watched ({error}); set WATCHFILES_FORCE_POLLING=1 and start again."
            self._broken = OSError(told)
            self._tell(self._quit)

    # Handled in the loop

    def _quit(self) -> None:
        self.session.over = True

    def _pressed(self, key: str) -> None:
        if key == SUSPEND:
            self._keyboard.suspend()
        else:
            self.session.pressed(key)
            self._idle()

    def _saved(self, work: Work, files: set[Path]) -> None:
        self._waiting.setdefault(work, set()).update(files)
        if work == self._checking and self._judging is not None:
            self._judging.interrupt()
        self._mention_later()
        self._idle()

    def _mention_later(self) -> None:
        """Says that a check is under way where it is not there after a while."""
        if self._mentioned is None:
            self._mentioned = asyncio.get_running_loop().call_later(PATIENCE, self._mention, 1)

    def _mention(self, seconds: int) -> None:
        self.session.slow(seconds)
        self._mentioned = asyncio.get_running_loop().call_later(1.0, self._mention, seconds + 1)

    def _ask(self, work: Work, again: str) -> None:
        self._asked = work, again

    def _view(self, work: Work, name: str) -> None:
        self._viewed = work, name

    def _idle(self) -> None:
        """Begins what waits: a check that was asked for, one of a save, else what the next check will need."""
        if self._busy:
            return
        if self._asked is not None:
            (work, again), self._asked = self._asked, None
            self._waiting.pop(work, None)
            self._check(work, again)
        elif self._waiting:
            work = next(iter(self._waiting))
            self.session.saved(work, self._waiting.pop(work))
            self._check(work)
        elif self._viewed is not None:
            (work, name), self._viewed = self._viewed, None
            self._mention_later()
            self._work_on(lambda: self._page(work, name), lambda shown: self.session.pictured(*shown))
        elif (state := self.session.focus) is not None and state.item.id != self._warmed:
            self._warmed = state.item.id
            self._work_on(lambda: self._judge().warm(state.item), lambda _: None)

    def _check(self, work: Work, again: str = "") -> None:
        loop = asyncio.get_running_loop()
        told = lambda state: self._from_thread(loop, self.session.judged, state)  # noqa: E731
        self._mention_later()
        self._checking = work
        self._work_on(lambda: self._checked(work, told, again), self.session.checked)

    def _work_on(self, job: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Runs a job beside the loop, in which its result or its failure is handled."""
        loop = asyncio.get_running_loop()

        def run() -> None:
            try:
                handled: tuple[Any, ...] = (then, job())
            except Interrupted:
                handled = (lambda _: None, None)
            except Exception as error:
                handled = (self.session.failed, error)
            self._from_thread(loop, self._finished, *handled)

        self._busy = True
        self._job = self._worker.submit(run)

    def _finished(self, then: Callable[[Any], None], result: Any) -> None:
        self._busy, self._checking = False, None
        if self._mentioned is not None:
            self._mentioned.cancel()
            self._mentioned = None
        then(result)
        self._idle()

    # In the worker's thread

    def _from_thread(self, loop: asyncio.AbstractEventLoop, handle: Callable[..., Any], *given: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is there to hear it
            loop.call_soon_threadsafe(self._tell, handle, *given)

    def _judge(self) -> Judging:
        from autograder.study.judging import Judging  # a few seconds, in which keys are heard

        if self._judging is None:
            self._judging = Judging(self._cache)
        return self._judging

    def _page(self, work: Work, name: str) -> tuple[Path | None, bool]:
        from autograder.study.picturing import opened, write_page

        page = write_page(self._judge(), work, name)
        return page, page is not None and opened(page)

    def _checked(self, work: Work, told: Callable[[Any], None], again: str) -> Standing:
        if not all(work.contents()):
            time.sleep(RENAMING)
        return self._judge().standing(work, told, again=again or None)


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

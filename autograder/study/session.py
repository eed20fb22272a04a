"""What `cnnviz watch` says: to a save, a verdict, a key. No clock, no thread and no file event is known here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import ConsoleRenderable
from rich.control import Control
from rich.segment import ControlType

from autograder.core.verdict import NOT_ATTEMPTED
from autograder.course.outlines import EXERCISE, Item
from autograder.study import telling
from autograder.study.cache import Cache
from autograder.study.folder import Work, shown
from autograder.study.keyboard import ENTER, QUIT
from autograder.study.progress import Standing, State, known
from autograder.study.resetting import reset
from autograder.study.screens import in_words, lesson_list
from autograder.study.signs import drawn, heading
from autograder.text.screen import Screen, Text

KEYS = "h hint, n next, l list, r reset, ? all keys, q quit"
ALL_KEYS = """h      the next hint
n, p   the next exercise that is left, the one before
v      a page with your values, the formula's and the difference as pictures
c, o   all checks of it, all that its code printed
Enter  check it again
l, r   the list of the lesson, reset the exercise
q      quit"""


class Session:
    """Where the student is, and what was said last.

    Args:
        works: the lessons, in the order of the course.
        work: the one to begin with.
        cache: what is known from earlier.
        console: where everything is said.
        check: asks for a check of a lesson; `again` is the id of an exercise that is to be run in any case.
        view: asks for the page of an exercise.
    """

    def __init__(
        self,
        works: Sequence[Work],
        work: Work,
        cache: Cache,
        console: Screen,
        check: Callable[[Work, str], None],
        view: Callable[[Work, str], None],
    ) -> None:
        self._works, self._cache, self._console, self._check, self._view = works, cache, console, check, view
        self.work = work
        self.over = False
        self._keys = False
        self._standing: Standing | None = None
        self._focus: str = ""
        self._changed: list[State] = []
        self._saved: set[Path] = set()
        self._headed = False
        self._counting = False
        self._answer: Callable[[], None] | None = None

    @property
    def focus(self) -> State | None:
        """The exercise that the keys are about."""
        states = self._standing.states if self._standing else ()
        return next((state for state in states if state.item.id == self._focus), None)

    # A check

    def begin(self, *, keys: bool = True) -> None:
        """The first words about a lesson; `keys` is whether there is a terminal to press them in."""
        self._keys = keys
        self._say(Text(f"Lesson {heading(self.work.outline)}", style="bold"))
        self._say(f"Write in {shown(self.work.module)} or in the notebook beside it. Every save is checked here.")
        if not self._keys:
            self._say("There is no keyboard here; Ctrl-C ends it.")
        self._standing, self._focus = None, ""
        standing = known(self.work, self._cache)
        if standing is None:
            self._check(self.work, "")
        else:
            self._arrive(standing)

    def saved(self, work: Work, files: set[Path]) -> None:
        """A file that counts was saved, and its check begins."""
        self._saved, self._changed, self._headed = files, [], False
        if work != self.work:
            self.work, self._standing, self._focus = work, None, ""
            self._say(Text(f"\nLesson {heading(work.outline)}", style="bold"))

    def slow(self, seconds: int) -> None:
        """The check takes long enough to say so; from three seconds on, on one line of a terminal, how long."""
        live = self._keys and drawn(self._console)
        if not live and seconds > 1:
            return
        count = f" {seconds} s" if seconds > 2 else ""
        self._say(Text(f"Checking...{count}", style="dim"), end="\r" if live else "\n")
        self._counting = live

    def judged(self, state: State) -> None:
        """One item is known; it is told of where it differs from what was told last."""
        if state.item not in self.work.outline.items:
            return  # the student went on to another lesson meanwhile
        if self._standing is None or state.brief or _essence(state) != _essence(self._before(state.item)):
            self._changed.append(state)
            if self._standing is not None:
                self._head()
                self._tell(telling.verdict(state))

    def checked(self, standing: Standing) -> None:
        """All items are known."""
        if standing.work != self.work:
            return
        if standing.problem:
            self._head()
            self._say(f"{standing.problem} Nothing was checked; go on, and save again.")
        elif self._standing is None:
            self._arrive(standing)
        else:
            self._standing = standing
            self._conclude()
        self._saved, self._changed, self._headed = set(), [], False

    def failed(self, error: BaseException) -> None:
        """The check itself failed."""
        told = f"The check itself failed ({type(error).__name__}: {error}); please report this, your code may be right."
        self._say(Text(told, style="yellow"))

    def _arrive(self, standing: Standing) -> None:
        """Where a student stands who has just come to a lesson."""
        self._standing = standing
        self._say(in_words(standing) + ".")
        if standing.problem:
            self._say(standing.problem)
        self._go_to(standing.next)
        self._say_keys()

    def _conclude(self) -> None:
        if not self._changed:
            self._head()
            self._say("Nothing that counts has changed.")
        wrong = [s for s in self._changed if not s.passed and s.verdict != NOT_ATTEMPTED]
        right = [s for s in self._changed if s.passed]
        if wrong:
            self._focus = wrong[0].item.id
        elif right or self.focus is None:
            assert self._standing is not None
            self._focus = right[-1].item.id if right else ""
            self._say()
            self._go_to(self._after(self._standing) or self._standing.next)
        self._say_keys()

    def _after(self, standing: Standing) -> State | None:
        """The first that is left after the one in hand."""
        ids = [state.item.id for state in standing.states]
        here = ids.index(self._focus) if self._focus in ids else -1
        return next((state for state in standing.states[here + 1 :] if not state.passed), None)

    def _go_to(self, state: State | None) -> None:
        if state is None:
            self._finished()
            return
        self._focus = state.item.id
        assert self._standing is not None
        file = shown(self.work.folder / (self._standing.file or self.work.module.name))
        told = state.told or state.passed
        self._tell(telling.verdict(state) if told else telling.task(state.item, file))

    def _finished(self) -> None:
        following = self._following()
        more = f" n goes on with {heading(following.outline)}." if following else ""
        self._say(Text(f"Lesson {heading(self.work.outline)} is finished.{more}", style="bold"))

    # Keys

    def pressed(self, key: str) -> None:
        """A key; an answer to the question that was asked last, if one was."""
        self._say()
        if self._answer is not None:
            answer, self._answer = self._answer, None
            if key == "y":
                answer()
            else:
                self._say("Nothing was changed.")
            return
        letters = {"h": self._hint, "n": self._next, "p": self._previous, "l": self._list, "r": self._reset}
        letters |= {"c": self._checks, "o": self._output, "v": self._pictures}
        (letters | {QUIT: self._quit, ENTER: self._again}).get(key, self._help)()

    def leave(self) -> None:
        """Nothing half said stays on the terminal's last line."""
        if self._counting:
            self._console.control(Control((ControlType.ERASE_IN_LINE, 2)))
        self._counting = False

    def _help(self) -> None:
        self._say(Text(ALL_KEYS, style="dim"))

    def _quit(self) -> None:
        self.over = True

    def _hint(self) -> None:
        item = self._item()
        if item is not None:
            try:
                self._tell(telling.hints(item, self._cache, more="h again shows"))
            except ValueError as error:
                self._say(str(error).removeprefix("hint: "))

    def _next(self) -> None:
        following = self._following()
        if self._standing is not None and (state := self._after(self._standing)) is not None:
            self._go_to(state)
        elif following is not None:
            self.work = following
            self.begin()
        else:
            self._say("This is the last exercise that is left.")

    def _previous(self) -> None:
        states = self._standing.states if self._standing else ()
        before = [state for state in states[: _place(states, self._focus)] if state.item.kind == EXERCISE]
        if before:
            self._go_to(before[-1])
        else:
            self._say("This is the first exercise of the lesson.")

    def _checks(self) -> None:
        if self._item() is not None and self.focus is not None:
            self._tell(telling.all_checks(self.focus))

    def _output(self) -> None:
        if self._item() is not None and self.focus is not None:
            self._tell(telling.everything_printed(self.focus))

    def _pictures(self) -> None:
        item = self._item()
        if item is not None:
            self._view(self.work, item.id)

    def pictured(self, page: Path | None, opened: bool) -> None:
        """The page that was asked for, and whether a browser shows it; None where there was nothing to run."""
        if page is None:
            self._say("There is nothing to show yet: write it first, and save.")
        else:
            self._say(f"{'Your browser shows' if opened else 'Open in your browser:'} {page}")

    def _following(self) -> Work | None:
        """The next lesson that is not finished as far as is known."""
        at = [work.outline.id for work in self._works].index(self.work.outline.id)
        later = [*self._works[at + 1 :], *self._works[:at]]
        return next((w for w in later if (s := known(w, self._cache)) is None or not s.finished), None)

    def _list(self) -> None:
        if self._standing is None:
            self._say("The first check is still running.")
            return
        self._tell(lesson_list(self._standing, self._console))

    def _reset(self) -> None:
        item = self._item()
        if item is not None:
            self._say(f"Put {item.name} back as it was handed out? Yours is kept in a backup. y for yes, n for no:")
            self._answer = lambda: self._put_back(item)

    def _put_back(self, item: Item) -> None:
        try:
            self._tell(telling.was_reset(reset(self.work, item), item))
        except (ValueError, OSError) as error:
            self._say(str(error).removeprefix("reset: "))

    def _again(self) -> None:
        item = self._item()
        if item is not None:
            self._changed, self._headed = [], True
            self._check(self.work, item.id)

    def _item(self) -> Item | None:
        if self.focus is None:
            self._say("The first check is still running." if self._standing is None else "Nothing is left here.")
            return None
        return self.focus.item

    # Saying

    def _before(self, item: Item) -> State:
        states = self._standing.states if self._standing else ()
        return next((state for state in states if state.item.id == item.id), State(item))

    def _head(self) -> None:
        """Once for each save: when, and what."""
        if not self._headed:
            files = ", ".join(sorted(path.name for path in self._saved)) or self.work.outline.id
            self._say(Text(f"\n{time.strftime('%H:%M:%S')}  {files} saved", style="dim"))
        self._headed = True

    def _tell(self, parts: Iterable[ConsoleRenderable]) -> None:
        for part in parts:
            self._say(part)

    def _say_keys(self) -> None:
        if self._keys:
            self._say(Text(KEYS, style="dim"))

    def _say(self, part: ConsoleRenderable | str = "", end: str = "\n") -> None:
        self.leave()
        self._console.print(Text(part) if isinstance(part, str) else part, end=end)


def _place(states: Sequence[State], item_id: str) -> int:
    """Where an item stands in its lesson; behind all where none has this id."""
    return next((n for n, state in enumerate(states) if state.item.id == item_id), len(states))


def _essence(state: State) -> tuple[object, ...]:
    return state.verdict, state.key, state.told

"""Says what an attack achieved, from what the batch came to. The same judges for the real and the weakened grader."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from tests.hostile.range.attacks import LESSON, Attack
from tests.hostile.range.canaries import Canaries
from tests.hostile.range.course import DEMO, INNOCENT
from tests.hostile.range.live import live_in_log, live_in_page, live_in_table, live_in_terminal
from tests.hostile.range.outcome import Outcome, Student

LONG = 40
"""Characters of a line that nobody writes twice by chance."""

_REPOSITORY = Path(__file__).parents[3]


def achieved(attack: Attack, after: Outcome, clean: Outcome, canaries: Canaries) -> dict[str, str]:
    """Kind of success -> what was seen of it; empty where the attack got nothing."""
    seen = {kind: judge(attack, after, clean) for kind, judge in _JUDGES.items()}
    seen["leak"] = _leak(attack, after, canaries)
    return {kind: what for kind, what in seen.items() if what}


def full_points() -> dict[str, int]:
    """Item id -> its points."""
    from autograder.course.registry import lesson

    return {item.id: item.points for item in lesson(LESSON).items}


def _points(attack: Attack, after: Outcome, clean: Outcome) -> str:
    """Points that nobody gave, and results whose signature does not hold."""
    given = after.students.get(attack.graded_as, Student()).points
    most = full_points() if attack.deserved_all_of else {}
    more = {item: earned for item, earned in given.items() if earned > attack.deserved.get(item, most.get(item, 0))}
    told = [f"{item}: {n} points" for item, n in more.items()]
    return _shown([*told, *after.complaints])


def _innocent(attack: Attack, after: Outcome, clean: Outcome) -> str:
    """Another student's results are not what they are without the attack, or honest work lost its points."""
    lost = []
    for student in INNOCENT:
        have, want = after.students.get(student, Student()), clean.students[student]
        if have != want:
            other = [item for item in want.points if have.points.get(item) != want.points[item]]
            lost.append(f"{student}: {', '.join(other) or 'other bytes'}")
    own, full = after.students.get(attack.graded_as, Student()).points, full_points()
    honest = {**attack.deserved, **{item: full[item] for item in attack.innocent}}
    lost += [f"honest {item}: {own.get(item, 0)} of {n}" for item, n in honest.items() if own.get(item, 0) < n]
    return _shown(lost)


def _file(attack: Attack, after: Outcome, clean: Outcome) -> str:
    return _shown([line for line in after.left if line not in clean.left])


def _process(attack: Attack, after: Outcome, clean: Outcome) -> str:
    return _shown(list(after.ending.left))


def _hang(attack: Attack, after: Outcome, clean: Outcome) -> str:
    stopped = after.ending.status is None or after.ending.ate
    return f"it was stopped after {after.ending.seconds:.0f} s" if stopped else ""


def _stop(attack: Attack, after: Outcome, clean: Outcome) -> str:
    """The batch ended before its end, or not every item of every student has a result."""
    if after.ending.status is None:
        return ""
    items = full_points()
    short = [s for s in (*INNOCENT, attack.graded_as) if after.students.get(s, Student()).points.keys() < items.keys()]
    if short or not after.finished:
        memory = ", out of memory" if after.ending.ate else ""
        return f"it ended with status {after.ending.status}{memory}; without all results: {_shown(short) or 'nobody'}"
    return ""


def _live(attack: Attack, after: Outcome, clean: Outcome) -> str:
    own = after.students.get(attack.graded_as, Student())
    found = [what for page in (own.page, *after.pages) for what in live_in_page(page)]
    found += live_in_terminal(own.shown) + live_in_log(own.log)
    found += [what for table in after.tables for what in live_in_table(table)]
    return _shown(found + live_in_terminal(after.terminal))


_JUDGES: Mapping[str, Callable[[Attack, Outcome, Outcome], str]] = {
    "points": _points,
    "innocent": _innocent,
    "file": _file,
    "process": _process,
    "hang": _hang,
    "stop": _stop,
    "live": _live,
}


def _leak(attack: Attack, after: Outcome, canaries: Canaries) -> str:
    told = html.unescape(after.students.get(attack.graded_as, Student()).told)
    lines = [f'the line "{line}"' for line in sorted(answer_lines() - _handed_in(attack)) if line in told]
    return _shown([*canaries.found_in(told), *lines])


@cache
def answer_lines() -> frozenset[str]:
    """The long lines of the reference and of the solution that are in no student's copy."""
    answers = [*_REPOSITORY.glob(f"solutions/{LESSON}/*.py"), *_REPOSITORY.glob("cnnviz_ref/*.py")]
    public = [*_REPOSITORY.glob("lessons/*/*.*"), *_REPOSITORY.glob("cnnviz/**/*.py")]
    return _long_lines(answers) - _long_lines(public)


def _handed_in(attack: Attack) -> frozenset[str]:
    """Lines of its own; where it damages a right submission also those of that."""
    right = DEMO.glob("right/*/*.py") if attack.deserved_all_of else ()
    return _long_lines((*attack.folder.glob("**/*.*"), *right))


def _long_lines(files: Iterable[Path]) -> frozenset[str]:
    lines = (line.strip() for path in files if path.is_file() for line in _lines(path))
    return frozenset(line for line in lines if len(line) >= LONG)


def _lines(path: Path) -> list[str]:
    """Of a notebook those of its cells."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix != ".ipynb":
        return text.splitlines()
    try:
        return [line for cell in json.loads(text)["cells"] for line in "".join(cell["source"]).splitlines()]
    except (ValueError, KeyError, TypeError):
        return text.splitlines()


def _shown(lines: list[str]) -> str:
    """The first few."""
    return "; ".join(lines[:3]) + (f"; and {len(lines) - 3} more" if len(lines) > 3 else "")

"""Puts the results of each student in some lessons together for one row of a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.batch.stages import Result, as_counted
from autograder.batch.summaries import INCOMPLETE, status
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED
from autograder.course import registry
from autograder.course.choices import choices
from autograder.course.records import Lesson
from autograder.report.sentences import said
from autograder.report.tables import messages
from autograder.text.words import counted

MISSING = "missing"
"""Status of a lesson that a student handed nothing in for."""
LONGEST = 300
"""Characters that are told of one mistake."""
_ORDER = (NOT_JUDGED, INCOMPLETE, MISSING, FAILED, NOT_ATTEMPTED, PASSED)


@dataclass(frozen=True)
class Standing:
    """One student's results in some lessons."""

    student: str
    """As `cnnviz grade` has it; empty for nobody's."""
    lessons: tuple[Lesson, ...]
    """Those that count, whether there is work on them or not."""
    known: Mapping[str, Mapping[str, Result]]
    """Lesson's id -> id of an exercise or question -> its result."""
    days: Mapping[str, int] = field(default_factory=dict)
    """Lesson's id -> days begun after its deadline; only what came late."""

    @property
    def possible(self) -> float:
        """Points or weights of all the lessons together."""
        return _plain(sum(map(_worth, self.lessons)))

    @property
    def points(self) -> float | None:
        """Points earned, of `possible`; None, which is no zero, where nothing was handed in or something not judged.

        Each lesson counts its points, or its weight; without the weakest that are dropped, the rest stands for all.
        """
        if self.status in (NOT_JUDGED, INCOMPLETE) or not self.known:
            return None
        kept = [lesson for lesson in self.lessons if lesson.id not in self.dropped]
        earned = sum(_worth(lesson) * self._share(lesson) for lesson in kept)
        return _plain(earned * self.possible / (sum(map(_worth, kept)) or 1))

    @property
    def dropped(self) -> list[str]:
        """The lessons that `drop_lowest` leaves out; one at least always counts."""
        number = min(choices().drop_lowest, len(self.lessons) - 1)
        return sorted(lesson.id for lesson in sorted(self.lessons, key=self._share)[:number])

    def _share(self, lesson: Lesson) -> float:
        return (self.points_of(lesson) or 0) / (lesson.points or 1)

    @property
    def status(self) -> str:
        """The gravest of the lessons' words."""
        words = {self.status_of(lesson) for lesson in self.lessons}
        return next(word for word in _ORDER if word in words)

    @property
    def missing(self) -> list[str]:
        """Lessons that there is no work on."""
        return [lesson.id for lesson in self.lessons if lesson.id not in self.known]

    def status_of(self, lesson: Lesson) -> str:
        """A verdict, or that the lesson is missing, or that its grading was interrupted."""
        return status(lesson.id, self.known[lesson.id]) if lesson.id in self.known else MISSING

    def points_of(self, lesson: Lesson) -> float | None:
        """Points of one lesson, less what its lateness costs; None where it is missing, incomplete or not judged."""
        if self.status_of(lesson) in (MISSING, INCOMPLETE, NOT_JUDGED):
            return None
        percent = min(choices().per_day * self.days.get(lesson.id, 0), choices().at_most)
        earned = sum(result.points[0] for result in self.known[lesson.id].values())
        return _plain(max(0.0, earned - lesson.points * percent / 100))

    def result(self, lesson: Lesson, item: str) -> Result | None:
        """The result of one exercise or question, where there is one."""
        return self.known.get(lesson.id, {}).get(item)

    def unjudged(self) -> str:
        """One sentence: what was not judged, and why; empty where all was."""
        for lesson in self.lessons:
            for item in lesson.items:
                result = self.result(lesson, item.id)
                if result is not None and result.verdict == NOT_JUDGED:
                    told = next(filter(None, map(said, result.rows)), "no reason is known.")
                    return f"{result.item} was not judged: {told}"
            if lesson.id in self.known and self.status_of(lesson) == INCOMPLETE:
                return f"{lesson.id} was not graded to its end: run `cnnviz grade` again."
        return ""


def _worth(lesson: Lesson) -> float:
    return registry.by_lesson("weights", choices().weights).get(lesson.id, lesson.points)


def _plain(points: float) -> float:
    """To two decimals, and whole where it is whole."""
    rounded = round(points, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def standings(
    results: Iterable[Result], lessons: Sequence[Lesson] = (), late: Mapping[str, Mapping[str, int]] | None = None
) -> list[Standing]:
    """One for each student who handed something in, by name, with the points that the checks have now.

    Args:
        results: of any students and lessons.
        lessons: those that count; without them all that are taught and anybody handed in.
        late: student -> lesson -> days begun after its deadline.

    Raises:
        ValueError: there is no result of any of the lessons.
    """
    known: dict[str, dict[str, dict[str, Result]]] = defaultdict(lambda: defaultdict(dict))
    items = {lesson.id: {item.id for item in lesson.items} for lesson in lessons or registry.lessons()}
    for result in results:
        if result.lesson in items:
            of_lesson = known[result.student][result.lesson]
            if result.item in items[result.lesson]:  # else one that the lesson has no more
                of_lesson[result.item] = as_counted(result)
    work = {lesson for parts in known.values() for lesson in parts}
    found = [lesson for lesson in lessons or registry.lessons() if lesson.id in work]
    if not found:
        names = ", ".join(sorted(lesson.id for lesson in lessons)) or "any lesson"
        raise ValueError(f"results: there is no result of {names}; grade it first, or choose other --lessons.")
    which = tuple(lessons or found)
    return [Standing(student, which, known[student], (late or {}).get(student, {})) for student in sorted(known)]


def verdicts(standing: Standing) -> list[str]:
    """The feedback in plain text: a line per lesson, a line per exercise or question and what went wrong, each once."""
    lines: list[str] = []
    said: set[str] = set()
    for lesson in standing.lessons:
        points = standing.points_of(lesson)
        earned = standing.status_of(lesson) if points is None else f"{points} of {lesson.points} points"
        if days := standing.days.get(lesson.id, 0):
            earned += f", {counted(days, 'day')} late"
        lines.append(f"{lesson.id}: {earned}")
        for result in (found for item in lesson.items if (found := standing.result(lesson, item.id))):
            told = _told(result)
            lines.append(f"{_line(result)}{f': {told}' if told and told not in said else ''}")
            said.add(told)
    return lines


def _line(result: Result) -> str:
    earned, possible = result.points
    return f"- {result.item}: {result.verdict}{'' if result.verdict == NOT_JUDGED else f' ({earned}/{possible})'}"


def _told(result: Result) -> str:
    """The first thing to put right, not endless, on one line."""
    told = next(iter(messages(result.rows)), "") if result.verdict not in (PASSED, NOT_ATTEMPTED) else ""
    return " ".join((f"{told[: LONGEST - 1]}…" if len(told) > LONGEST else told).split())

"""The page of one student and one lesson: what it says, in the order in which it says it."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from autograder.core.evidence import Exhibit, exhibit
from autograder.core.verdict import LATER, NOT_JUDGED, PASSED, Points, Row, overall
from autograder.course import registry
from autograder.course.locations import home_of
from autograder.course.records import SECTIONS, Exercise, Question, foundations
from autograder.feedback.views import View, view
from autograder.report import pages
from autograder.report.sentences import said
from autograder.report.showcase import Picture
from autograder.report.tables import load_problem, messages
from autograder.text.formulas import as_mathml, in_sentence

if TYPE_CHECKING:  # pages are made of results without importing torch
    from autograder.core.judge import Graded


@dataclass(frozen=True)
class Section:
    """One exercise or question on the page."""

    title: str
    score: float
    max_score: float
    checks: Sequence[Mapping[str, Any]]
    """Rows as they are kept."""
    code: str = ""
    comment: str = ""
    """What a person wrote about it."""
    item: str = ""
    """Id of the exercise or question; its formula and hints come from the course."""
    exhibits: Sequence[Exhibit] = ()
    pictures: Sequence[Picture] = ()
    broken: Sequence[str] = ()
    """Ids of the lesson's exercises that are not right."""
    above: str = ""
    """Anchor of an earlier section that says why the code of both cannot be loaded."""

    @property
    def verdict(self) -> str:
        """The one verdict for all rows; without rows nothing was judged."""
        return overall([check["verdict"] for check in self.checks] or [NOT_JUDGED])

    @property
    def by_hand(self) -> bool:
        """Whether the score is another than that of the checks."""
        earned, possible = (sum(check[key] for check in self.checks) for key in ("points", "max_points"))
        return not math.isclose(self.score, self.max_score * earned / (possible or 1), abs_tol=1e-9)

    @property
    def points(self) -> Points:
        """Earned and judged; open where nothing was judged, neither by a check nor by a person."""
        unjudged = self.verdict == NOT_JUDGED and not self.by_hand
        return Points(open=self.max_score) if unjudged else Points(self.score, self.max_score)

    @property
    def anchor(self) -> str:
        """Where links to this section go."""
        return self.item or f"part-{zlib.crc32(self.title.encode('utf-8', 'replace'))}"

    @property
    def note(self) -> str:
        """What the score alone does not say."""
        if self.by_hand:
            return "The score was set by a person."
        if self.verdict == NOT_JUDGED:
            return "This could not be judged yet: its points are open until a person has looked at it."
        return ""

    @property
    def told(self) -> dict[str, list[str]]:
        """Sentence -> the checks that it explains: one mistake, one sentence."""
        rows = [] if self.above else [Row.from_json(check) for check in self.checks]
        return messages(rows) or {said(r): [r.check] for r in rows if r.diagnosis}

    @property
    def unloaded(self) -> str:
        """Why its code could not be loaded; empty where it was."""
        return load_problem(map(Row.from_json, self.checks))

    @property
    def record(self) -> Exercise | Question | None:
        """What the course knows of it."""
        try:
            return registry.item(self.item)
        except ValueError:
            return None

    @property
    def formula(self) -> Markup:
        """The formula, drawn by the browser; empty for a question."""
        return as_mathml(self.record.formula, block=True) if isinstance(self.record, Exercise) else Markup()

    @property
    def question(self) -> str:
        """The text of a prediction; empty for an exercise."""
        return self.record.text if isinstance(self.record, Question) else ""

    @property
    def views(self) -> list[View]:
        """The student's values beside the formula's."""
        return [view(each) for each in self.exhibits]

    @property
    def steps(self) -> list[Step]:
        """What to look at next, for what is not right."""
        return [] if self.verdict in (PASSED, NOT_JUDGED, LATER) or self.unloaded else steps(self.record, self.broken)


@dataclass(frozen=True)
class Words:
    """An answer in words, and what a person said of it; its points are in no total."""

    title: str
    answer: str
    points: Points
    """Open where nobody has marked it yet."""
    comment: str = ""


@dataclass(frozen=True)
class Sheet:
    """The page of one student and one lesson."""

    title: str
    student: str
    score: float
    max_score: float
    sections: Sequence[Section]
    late_penalty: float = 0.0
    words: Sequence[Words] = ()
    made_of: str = ""
    """Names all that the page was made of; a page that says the same need not be made again."""

    @property
    def shown(self) -> list[Section]:
        """The sections; why code cannot be loaded is said in the first of those that are in it."""
        first: dict[str, str] = {}
        for section in self.sections:
            first.setdefault(section.unloaded, section.anchor)
        repeats = [bool(each.unloaded) and first[each.unloaded] != each.anchor for each in self.sections]
        pairs = zip(self.sections, repeats, strict=True)
        return [replace(each, above=first[each.unloaded]) if repeated else each for each, repeated in pairs]

    @property
    def points(self) -> Points:
        """The score, of the points that were judged."""
        open_points = sum(section.points.open for section in self.sections)
        return Points(self.score, self.max_score - open_points, open_points)

    @property
    def not_right(self) -> list[Section]:
        """What is left to do, in the order of the lesson."""
        return [section for section in self.sections if section.verdict not in (PASSED, NOT_JUDGED)]

    @property
    def right(self) -> int:
        """How many are right."""
        return sum(section.verdict == PASSED for section in self.sections)

    @property
    def unjudged(self) -> int:
        """How many were not judged."""
        return sum(section.verdict == NOT_JUDGED for section in self.sections)


def section_of(item: Exercise | Question, rows: Sequence[Row], **others: Any) -> Section:
    """A section from the rows of one exercise or question; `others` are fields of `Section`."""
    checks = [row.as_json() for row in rows]
    earned, possible = (float(sum(check[key] for check in checks)) for key in ("points", "max_points"))
    return Section(title_of(item), earned, possible, checks, item=item.id, **others)


def practice_section(graded: Graded, pictures: Sequence[Picture], broken: Sequence[str] = ()) -> Section:
    """What practice shows of one exercise: its maps, and of the visible cases those that differ, else the first.

    Nothing of a hidden case is in `graded.evidence`.
    """
    made = [each for each in map(exhibit, graded.evidence) if each is not None]
    shown = [each for each in made if not each.same] or made[:1]
    return section_of(graded.item, graded.rows, pictures=pictures, exhibits=shown, broken=broken)


def title_of(item: Exercise | Question) -> str:
    """An exercise's title; a question's variable."""
    return item.title if isinstance(item, Exercise) else f"Prediction: {item.variable}"


def page(sheet: Sheet) -> Markup:
    """The sheet as one HTML page that loads nothing."""
    return pages.page("feedback.html.j2", sheet=sheet)


_PIECES = re.compile(r"\$([^$\n]+)\$|\*\*([^*\n]+)\*\*")


@dataclass(frozen=True)
class Step:
    """One thing to do."""

    text: Markup
    to: str = ""
    """Id of the exercise on the same page where it leads."""


def steps(item: Exercise | Question | None, broken: Sequence[str]) -> list[Step]:
    """For an exercise that is not right, in the order in which they help.

    Args:
        item: what is not right.
        broken: ids of the lesson's exercises that are not right.
    """
    if not isinstance(item, Exercise):
        return []
    found = foundations(item, registry.lesson_of(item.id).exercises)
    parts = [registry.exercise(name) for name in found if name in broken]
    begin = [Step(escape(f"Begin with “{parts[0].title}”: this one is built on it."), parts[0].id)] if parts else []
    return [*begin, *(Step(inline(hint)) for hint in item.hints[:1]), Step(_place(item))]


def inline(text: str) -> Markup:
    """A hint's line: formulas, code and bold words drawn, everything else as it is."""
    made, end = Markup(), 0
    for found in _PIECES.finditer(text):
        formula, bold = found.groups()
        made += in_sentence(text[end : found.start()])
        made += as_mathml(formula) if formula else Markup("<strong>{}</strong>").format(bold)
        end = found.end()
    return made + in_sentence(text[end:])


def _place(item: Exercise) -> Markup:
    lesson = registry.lesson_of(item.id)
    number = 1 + [exercise.id for exercise in lesson.exercises].index(item.id)
    told = Markup("In the lesson: Exercise {} of <em>{}</em>").format(number, lesson.title)
    if not home_of(lesson.id).own:  # whose author chose other sections
        told += Markup(", and its sections <em>{}</em> and <em>{}</em>").format(
            SECTIONS["formula"], SECTIONS["by_hand"]
        )
    told += Markup(". <code>cnnviz open {}</code> opens it").format(lesson.id)
    if item.hints:
        told += Markup("; <code>cnnviz hint {}</code> gives the next hint").format(item.id)
    return told + "."

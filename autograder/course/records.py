"""The records that a lesson is made of. Content only: nothing here runs student code.

A record equals only itself (`eq=False`), so that what is computed for it can be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch

Arrays = tuple[np.ndarray, ...]
SECTIONS = {
    "goal": "What you will make", "idea": "The idea", "formula": "The formula", "by_hand": "By hand",
    "exercises": "Exercises", "photo": "On a real photo", "limits": "Where it fails", "yours": "Now yours",
    "short": "In short", "references": "References",
}  # fmt: skip
"""Id of each section of a lesson, in their order -> its heading in the lesson's language."""


@dataclass(frozen=True, eq=False)
class Call:
    """One call of the student's function."""

    inputs: Mapping[str, Any]
    """Argument name of the reference -> value: tensors, modules, numbers, strings, and lists or dicts of these."""
    then: tuple[Any, ...] | None = None
    """Where the function returns a module or a function: that is called with these, and its result is compared."""


@dataclass(frozen=True, eq=False)
class Case:
    """Inputs on which the student's values are compared with the reference's."""

    name: str
    """What the inputs are, as a student would say it: "three images, one of them all dark"."""
    build: Callable[[torch.Generator], Sequence[Call]]
    """Inputs from a seeded generator; the same seed gives the same inputs bit for bit."""
    hidden: bool = False
    """A hidden case is seeded by the course secret; nothing of its values is ever shown."""
    points: int = 1
    only_here: tuple[str, ...] = ()
    """Misconceptions that miss this case's special input and are right in every other: they cost its row alone."""
    draw: int = 0
    """Which draw practice takes: the first on which every known mistake shows and none looks like another."""
    later: bool = False
    """Known by name only, in a student's copy of the course: it is judged when the work is handed in."""


@dataclass(frozen=True, eq=False)
class Law:
    """A property that any right answer has, whatever its values."""

    name: str
    """Slug, shown in the verdict: "equals_relu_cam_over_Z"."""
    sentence: str
    """The law in the lesson's symbols."""
    build: Callable[[torch.Generator], Sequence[Call]]
    """The calls whose results the law relates."""
    violation: Callable[[Sequence[Call], Sequence[Arrays]], float]
    """Relative size of the violation (0 where the law holds), from the calls and the results, one tuple a call."""
    points: int = 1
    recorded: bool = False
    """Whether recorded results stand for the law, in a student's copy of the course."""


@dataclass(frozen=True, eq=False)
class Misconception:
    """A known wrong answer: its output identifies the mistake."""

    name: str
    """Slug: "sum_for_mean"."""
    wrong: Callable[..., Any]
    """The wrong implementation, with the reference's signature."""
    sentence: str
    """One or two sentences for the student, in the lesson's symbols: what was done, what the formula says."""
    line: str = ""
    """File and line where it is written."""

    @property
    def place(self) -> str:
        """Its name and where it is written."""
        return f"{self.name} ({self.line})" if self.line else self.name


@dataclass(frozen=True, eq=False)
class Exercise:
    """One function that the student writes."""

    id: str
    """`module.function`: "grad_cam.neuron_importance"."""
    title: str
    """A few words: "Importance of a channel"."""
    reference: Callable[..., Any]
    """The right answer, with the signature of the stub: keyword-only arguments are passed by keyword."""
    cases: tuple[Case, ...]
    """At least one visible and one hidden."""
    misconceptions: tuple[Misconception, ...]
    """Each rejected by every case, or by the one that has it in `only_here`; of ours at least eight."""
    lines: int
    """Lines of code to expect."""
    formula: str = ""
    """LaTeX without dollar signs; symbols as in the lesson."""
    hints: tuple[str, ...] = ()
    """A ladder: a question, a pointer, code-like steps."""
    minutes: int = 0
    """0 where the author does not say."""
    difficulty: int = 0
    """1, 2 or 3; 0 where the author does not say."""
    laws: tuple[Law, ...] = ()
    outputs: tuple[str, ...] = ("result",)
    """Symbols of what is returned, in order: ("A", "dA")."""
    special: Mapping[str, str] = field(default_factory=dict)
    """Words of the stub that state a special case -> the misconception that misses it, which cases reject; an
    empty name where they are about what comes in or what is left behind, not about what is returned."""
    builds_on: tuple[str, ...] = ()
    """Exercises of the same lesson whose results this one puts together."""
    promise_points: int = 1
    """Points for leaving model and inputs as found and answering the same twice."""
    seconds: float = 10.0
    """Wall-clock limit for all calls of this exercise."""
    showcase: Callable[[], Call] | None = None
    """A call on a real photo, whose result is drawn (never compared): [1 h w] or [1 H W] or [C H W] first output."""

    @property
    def module(self) -> str:
        """The lesson's module: "grad_cam"."""
        return self.id.split(".")[0]

    @property
    def function(self) -> str:
        """The function's name: "neuron_importance"."""
        return self.id.split(".")[1]

    @property
    def points(self) -> int:
        """Sum over all checks."""
        return self.promise_points + sum(part.points for part in self.parts)

    @property
    def parts(self) -> tuple[Case | Law, ...]:
        """The cases, then the laws: what the student's function is called for."""
        return (*self.cases, *self.laws)


def foundations(exercise: Exercise, among: Sequence[Exercise | Question]) -> tuple[str, ...]:
    """Ids of those that it puts together, directly or through others; `among` is in the order of the lesson."""
    found = set(exercise.builds_on)
    for other in reversed(among):
        if other.id in found:
            found.update(getattr(other, "builds_on", ()))
    return tuple(other.id for other in among if other.id in found)


@dataclass(frozen=True)
class Option:
    """One answer of a prediction question."""

    text: str
    """What the student reads."""
    feedback: str
    """What the student is told after choosing it: for a wrong option, the misconception behind it."""


@dataclass(frozen=True)
class Puzzle:
    """What the build makes a question of: which of a function's known mistakes gave the values that are shown?"""

    function: str
    among: tuple[str, ...]
    """Names of known mistakes whose results can be told apart; one of them is shown, all are options."""


@dataclass(frozen=True)
class Question:
    """A prediction to be made before running the code; marked automatically."""

    id: str
    """`module.variable`: "grad_cam.which_sign"; the student sets that variable to a word or a number."""
    text: str
    options: Mapping[str, Option] = field(default_factory=dict)
    """Word -> option, in the order of the alphabet, which does not depend on what is right.

    Where a number is asked for: the right number and those that known mistakes give, as text.
    """
    answer: str = ""
    """The right word or number; empty in a student's copy, where it is judged when the work is handed in."""
    points: int = 1
    within: float | None = None
    """How far a number may be from the right one; None where a word is asked for."""
    puzzle: Puzzle | None = None
    """What it is made of; None where an author wrote it, and in a student's copy of the course."""

    @property
    def picture(self) -> str:
        """Name of its picture beside the notebook; empty where it has none."""
        return f"{self.variable}.svg" if self.puzzle else ""

    @property
    def module(self) -> str:
        """The lesson's module."""
        return self.id.split(".")[0]

    @property
    def variable(self) -> str:
        """The variable's name."""
        return self.id.split(".")[1]

    @property
    def choices(self) -> Mapping[str, Option]:
        """What a student chooses from; empty where a number is asked for."""
        return self.options if self.within is None else {}

    @property
    def literal(self) -> str:
        """The right answer in code: `"unchanged"` or `0.77`."""
        return f'"{self.answer}"' if self.within is None else self.answer


@dataclass(frozen=True)
class OpenQuestion:
    """A question that the student answers in words; a person marks it, and its points are in no total of ours."""

    id: str
    """`module.name`: "grad_cam.your_map"."""
    text: str
    rubric: tuple[str, ...]
    """What the answer should say, one point each; never in a student's copy."""

    @property
    def name(self) -> str:
        """The part after the dot, which is the cell's grade id."""
        return self.id.split(".")[1]

    @property
    def points(self) -> int:
        """What a person can give at most."""
        return len(self.rubric)


@dataclass(frozen=True)
class Lesson:
    """One lesson: its exercises in the order of the notebook, and its questions."""

    id: str
    """Folder name: "11_grad_cam"."""
    title: str
    summary: str
    """One sentence for the README of the lesson and the map of the course."""
    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...]
    open_questions: tuple[OpenQuestion, ...] = ()
    """Not among `items`: nothing marks them but a person."""

    @property
    def name(self) -> str:
        """The module's name: "grad_cam"."""
        return self.id.split("_", 1)[1]

    @property
    def points(self) -> int:
        """Sum over exercises and questions."""
        return sum(item.points for item in self.items)

    @property
    def items(self) -> tuple[Exercise | Question, ...]:
        """The exercises, then the questions: what is marked."""
        return (*self.exercises, *self.questions)


def pointed(lesson: Lesson, points: Mapping[str, int]) -> Lesson:
    """The lesson in which some exercises and questions have other points.

    Args:
        lesson: with the points that its author gave.
        points: id -> points; those of an exercise are shared out over its checks as its author's were.

    Raises:
        ValueError: an exercise has more checks than points.
    """
    exercises = tuple(_pointed(each, points.get(each.id, each.points)) for each in lesson.exercises)
    questions = tuple(replace(each, points=points.get(each.id, each.points)) for each in lesson.questions)
    return replace(lesson, exercises=exercises, questions=questions)


def _pointed(exercise: Exercise, points: int) -> Exercise:
    if points == exercise.points:
        return exercise
    given = [exercise.promise_points, *(part.points for part in exercise.parts)]
    if points < len(given):
        raise ValueError(
            f"points: {exercise.id} has {len(given)} checks, each worth 1 or more: got {points}; choose at least "
            f"{len(given)}, or give its lesson a weight."
        )
    wanted = [points * part / sum(given) for part in given]
    shares = [max(1, int(part)) for part in wanted]
    while rest := points - sum(shares):  # to or from whoever is furthest from its part
        step = 1 if rest > 0 else -1
        able = [n for n, share in enumerate(shares) if share + step >= 1]
        shares[max(able, key=lambda n: step * (wanted[n] - shares[n]))] += step
    number = 1 + len(exercise.cases)
    cases = tuple(replace(case, points=n) for case, n in zip(exercise.cases, shares[1:number], strict=True))
    laws = tuple(replace(law, points=n) for law, n in zip(exercise.laws, shares[number:], strict=True))
    return replace(exercise, cases=cases, laws=laws, promise_points=shares[0])

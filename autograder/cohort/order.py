"""What the page knows of the course: its exercises and predictions in order, and what depends on what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.batch.stages import Result
from autograder.course.records import Exercise, Lesson, Question


@dataclass(frozen=True)
class Item:
    """One exercise or prediction."""

    id: str
    lesson: str
    """Folder name: "11_grad_cam"."""
    lesson_title: str
    section: str
    """Its heading in the notebook: "Exercise 2" or "Prediction 1"; empty where the course has it no more."""
    title: str
    mark: str
    """At the head of a column: "2", or "P1" for a prediction."""
    points: int
    formula: str = ""
    minutes: int | None = None
    """Planned; a prediction has no plan."""
    needed_by: tuple[str, ...] = ()
    """Exercises that are built on this one, directly or not, in order."""
    sentences: Mapping[str, str] = field(default_factory=dict)
    """Name of a mistake -> what a student with it is told."""

    @property
    def question(self) -> bool:
        """Whether it is a prediction."""
        return self.mark.startswith("P")

    @property
    def place(self) -> str:
        """Where to find it: "11 Grad-CAM, exercise 2"."""
        number = self.lesson.split("_", 1)[0]
        return ", ".join(filter(None, (f"{number} {self.lesson_title}", self.section.lower())))


def items_of(lessons: Iterable[Lesson], results: Sequence[Result]) -> list[Item]:
    """All items of the lessons that have a result, in the order of the course; then those that it has no more."""
    present = {result.lesson for result in results}
    known = [item for lesson in lessons if lesson.id in present for item in _lesson(lesson)]
    names = {item.id for item in known}
    gone = {(r.lesson, r.item): r for r in results if r.item not in names}
    return known + [_gone(result) for _, result in sorted(gone.items())]


def _lesson(lesson: Lesson) -> Iterable[Item]:
    for number, exercise in enumerate(lesson.exercises, 1):
        yield Item(
            exercise.id, lesson.id, lesson.title, f"Exercise {number}", exercise.title, str(number), exercise.points,
            exercise.formula, exercise.minutes, _needed_by(exercise, lesson),
            {mistake.name: mistake.sentence for mistake in exercise.misconceptions},
        )  # fmt: skip
    for number, question in enumerate(lesson.questions, 1):
        yield Item(
            question.id, lesson.id, lesson.title, f"Prediction {number}", question.text, f"P{number}", question.points,
            sentences=_wrong_options(question),
        )  # fmt: skip


def _needed_by(exercise: Exercise, lesson: Lesson) -> tuple[str, ...]:
    found = {exercise.id}
    for other in lesson.exercises:  # what is built on comes before what is built
        if found & set(other.builds_on):
            found.add(other.id)
    return tuple(other.id for other in lesson.exercises if other.id in found and other is not exercise)


def _wrong_options(question: Question) -> dict[str, str]:
    wrong = {word: option for word, option in question.options.items() if word != question.answer}
    return {f"option_{word}": f"You answered “{option.text}” {option.feedback}" for word, option in wrong.items()}


def _gone(result: Result) -> Item:
    points = sum(row.max_points for row in result.rows)
    title = f"{result.item} (the course has it no more)"
    return Item(result.item, result.lesson, result.lesson.partition("_")[2], "", title, "–", points)

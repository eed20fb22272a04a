"""Classes made of records: a few counted by hand, and large ones that look like a term."""

import random
from collections.abc import Sequence
from dataclasses import replace

from autograder.batch.stages import Result
from autograder.core.diagnose import Diagnosis
from autograder.core.message import message
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED, Row
from autograder.course.records import Exercise, Lesson, Misconception, Option, Question

SECRET = "a secret for made classes"
NAMES = (
    "김민수", "محمد العلي", "שרה כהן", "Zoë, Ann", "👩\u200d💻 Dev", "O'Neil <b>Ann</b>",
    "</script><script>alert(1)</script>", "wide\u2028name", "محمد (lab 2)", "=1+1", "나래 박",
)  # fmt: skip
MISTAKES = (
    "You summed ∂y^c/∂A over i, j; α_k is their mean.",
    "Your map shows what lowers y^c.",
    "You left out the ReLU.",
)
OPTIONS = {"a": Option("It fades.", "Yes."), "b": Option("Nothing.", "Look again.")}
CHECKS = (("values: seen", 1), ("hidden values: unseen", 2), ("law: linear", 1), ("promises", 1))


def mistake(number: int) -> Misconception:
    return Misconception(f"mistake_{number}", abs, MISTAKES[number])


def course(lessons: int = 2, exercises: int = 2, questions: int = 1) -> tuple[Lesson, ...]:
    """Lessons `01_m1`, `02_m2`...; every exercise is built on the one before it."""
    return tuple(_lesson(n, exercises, questions) for n in range(1, lessons + 1))


def _lesson(n: int, exercises: int, questions: int) -> Lesson:
    ids = [f"m{n}.f{k}" for k in range(1, exercises + 1)]
    made = [
        Exercise(
            id=name, title=f"Step {k} of method {n}", reference=abs, formula=r"L = \frac{1}{Z} \sum_k A^k", cases=(),
            misconceptions=tuple(map(mistake, range(3))), hints=("", "", ""), minutes=5 * k, difficulty=1,
            lines=2, promise_points=5, builds_on=tuple(ids[k - 2 : k - 1]) if k > 1 else (),
        )
        for k, name in enumerate(ids, 1)
    ]  # fmt: skip
    asked = [
        Question(f"m{n}.q{k}", f"What happens to map {k}?", OPTIONS)
        for k in range(1, questions + 1)
    ]  # fmt: skip
    return Lesson(f"{n:02d}_m{n}", f"Method {n}", "", tuple(made), tuple(asked))


def result(
    student: str, item: str, verdict: str, told: Diagnosis | None = None, passed: tuple[int, ...] = ()
) -> Result:
    """One result; of a failed one the checks with these numbers pass."""
    module, name = item.split(".")
    lesson = f"{int(module[1:]):02d}_{module}"
    checks = (("answer", 1),) if name.startswith("q") else CHECKS
    rows = [
        Row(item, check, PASSED if n in passed else verdict, points, told if n not in passed else None)
        for n, (check, points) in enumerate(checks)
    ]
    return Result(student, lesson, item, "d" * 64, "c" * 64, "s" * 16, "landlock", tuple(rows))


def known(number: int) -> Diagnosis:
    return Diagnosis("misconception", f"mistake_{number}", message("sentence", text=MISTAKES[number]))


def raised(text: str = "your function raised ValueError: no") -> Diagnosis:
    return Diagnosis("raised", "raised", message("sentence", text=text))


def a_term(lessons: Sequence[Lesson], students: int, seed: int = 0, *, early: bool = True) -> list[Result]:
    """Students of many abilities, many of whom stop `early`; every kind of failure."""
    draw = random.Random(seed)
    names = [*NAMES, *(f"student {n:04d}" for n in range(students))][:students]
    hard = {item.id: draw.random() for lesson in lessons for item in lesson.items}
    made = []
    for name in names:
        able, end = draw.gauss(0.65, 0.25), draw.randint(1 if early else len(lessons), 2 * len(lessons))
        for n, lesson in enumerate(lessons):
            made += [_drawn(draw, name, lesson, item, able - 0.4 * hard[item.id]) for item in lesson.items if n < end]
    return made


def _drawn(draw: random.Random, student: str, lesson: Lesson, item, able: float) -> Result:
    told = draw.choices(
        [known(0), known(1), known(2), raised(f"your function raised ValueError: {student}"),
         Diagnosis("values", "values", message("sentence", text=f"L departs in {draw.randint(1, 99)}% of its values.")),
         Diagnosis("relation", "sign", message("sentence", text="L is the negative.")),
         Diagnosis("shape", "shape", message("sentence", text="got [3, 2]."))],
        [6, 2, 1, 2, 2, 1, 1],
    )[0]  # fmt: skip
    luck = able + draw.gauss(0.25, 0.2)
    if isinstance(item, Question):
        letter = draw.choice([letter for letter in item.options if letter != item.answer])
        wrong = Diagnosis("question", f"option_{letter}", message("sentence", text=item.options[letter].feedback))
        verdict = PASSED if luck > 0.5 else FAILED if draw.random() < 0.8 else NOT_ATTEMPTED
        return _of(student, lesson, item, verdict, wrong, (("answer", 1),))
    if draw.random() < 0.003:
        return _of(
            student,
            lesson,
            item,
            NOT_JUDGED,
            Diagnosis("grader", "OSError", message("sentence", text="the grader itself failed.")),
        )
    if luck > 0.5:
        return _of(student, lesson, item, PASSED, None)
    verdict = FAILED if luck > 0.1 else NOT_ATTEMPTED
    if told.kind == "misconception" and item.misconceptions:
        chosen = item.misconceptions[int(told.name[-1]) % len(item.misconceptions)]
        told = Diagnosis("misconception", chosen.name, message("sentence", text=chosen.sentence))
    some = _of(student, lesson, item, verdict, told if verdict == FAILED else None)
    if verdict == FAILED and draw.random() < 0.3:
        some = replace(some, rows=(replace(some.rows[0], verdict=PASSED, diagnosis=None), *some.rows[1:]))
    return some


def _of(student, lesson, item, verdict, told, checks=None) -> Result:
    from autograder.core.judge import checks_of

    real = isinstance(item, Exercise) and item.cases
    checks = checks or ([(check, 1) for check in checks_of(item)] if real else CHECKS)
    rows = tuple(Row(item.id, check, verdict, points, told if verdict != PASSED else None) for check, points in checks)
    return Result(student, lesson.id, item.id, "d" * 64, "c" * 64, "s" * 16, "landlock", rows)

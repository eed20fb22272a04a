"""For `cnnviz build`: calls a function's known mistakes, and draws what one of them returned beside what is right."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from autograder.authoring.templates import render
from autograder.core.oracle import Part
from autograder.course.puzzles import FILE, Drawn, asked, shown_mistake
from autograder.course.records import Call, Exercise, Lesson, Question

TRIES, SIDE, FEW = 40, 16, 9
"""Draws of the inputs, rows or columns that are drawn at most, and those up to which the numbers stand in the cells."""
APART = 0.1
"""Least relative difference of two results in at least one of their three numbers."""
NUMBERS: Mapping[str, Callable[[np.ndarray], float]] = {"largest": np.max, "smallest": np.min, "mean": np.mean}


@dataclass(frozen=True)
class _Shown:
    """One table of numbers out of the results of a call."""

    call: Call
    symbol: str
    right: np.ndarray
    returned: Mapping[str, np.ndarray]

    @property
    def apart(self) -> float:
        """How far those two results differ that are nearest to each other."""
        pairs = itertools.combinations((self.right, *self.returned.values()), 2)
        return min(max(map(_difference, _numbers(one), _numbers(other))) for one, other in pairs)


def with_puzzles(lesson: Lesson) -> tuple[Lesson, dict[str, bytes]]:
    """The lesson whose puzzles are drawn anew, and the files that belong to them: name -> content.

    Raises:
        ValueError: the mistakes of a puzzle cannot be told apart by any draw of its inputs.
    """
    exercises = {exercise.function: exercise for exercise in lesson.exercises}
    drawn: dict[str, Drawn] = {}
    files: dict[str, bytes] = {}
    for question in lesson.questions:
        if question.puzzle:
            shown = _draw(question, exercises[question.puzzle.function])
            drawn[question.variable] = _as_json(shown)
            name = shown_mistake(drawn[question.variable])
            files[question.picture] = _picture(shown.right, shown.returned[name]).encode()
    if not drawn:
        return lesson, {}
    questions = tuple(
        asked(each, exercises[each.puzzle.function], drawn[each.variable]) if each.puzzle else each
        for each in lesson.questions
    )
    text = json.dumps(drawn, ensure_ascii=False, indent=1) + "\n"
    return replace(lesson, questions=questions), {FILE: text.encode(), **files}


def _draw(question: Question, exercise: Exercise) -> _Shown:
    """The first draw that tells all the mistakes apart, where they are farthest apart; no check has these inputs."""
    assert question.puzzle is not None
    seed = int.from_bytes(hashlib.sha256(question.id.encode()).digest()[:6], "big")
    cases = [case for case in exercise.cases if not case.hidden and not case.only_here]
    for more, case in itertools.product(range(TRIES), cases):
        part = Part(exercise, case, seed + more)
        best = max(_tables(part, question.puzzle.among), key=lambda shown: shown.apart, default=None)
        if best and best.apart >= APART:
            return best
    raise ValueError(
        f"{question.id}: in {TRIES} draws of {exercise.id} the mistakes {', '.join(question.puzzle.among)} do not "
        f"differ by {APART:.0%} in largest, smallest or mean value; name others in `among`."
    )


def _tables(part: Part, among: tuple[str, ...]) -> Iterator[_Shown]:
    mistakes = part.mistakes_named(among)
    for n, (call, right) in enumerate(zip(part.calls, part.expected, strict=True)):
        results = {name: results[n].arrays for name, results in mistakes.items() if results[n].kind == "value"}
        for output, array in enumerate(right.arrays):
            got = {name: arrays[output] for name, arrays in results.items() if len(arrays) > output}
            same = {name: each for name, each in got.items() if each.ndim == array.ndim}
            if len(same) == len(among):
                yield from _slices(call, part.exercise.outputs[output], array, same)


def _slices(call: Call, symbol: str, right: np.ndarray, returned: Mapping[str, np.ndarray]) -> Iterator[_Shown]:
    """Rows and columns of one image, or of one channel of it."""
    for index in itertools.islice(np.ndindex(right.shape[:-2]), 8):
        name = f"{symbol}[{', '.join(map(str, index))}]" if index else symbol
        try:
            tables = [np.atleast_2d(each[index].astype(np.float64)) for each in (right, *returned.values())]
        except (IndexError, ValueError):
            continue
        small = all(one.size > 2 and max(one.shape) <= SIDE and np.isfinite(one).all() for one in tables)
        if small and right.ndim:
            yield _Shown(call, name, tables[0], dict(zip(returned, tables[1:], strict=True)))


def _numbers(table: np.ndarray) -> list[float]:
    return [float(f(table)) for f in NUMBERS.values()]


def _difference(one: float, other: float) -> float:
    return abs(one - other) / max(abs(one), abs(other), 1e-12)


def _as_json(shown: _Shown) -> Drawn:
    told = {name: _told(table) for name, table in shown.returned.items()}
    given = ", ".join(filter(None, (_input(name, value) for name, value in shown.call.inputs.items())))
    return {"given": given, "shown": shown.symbol, "right": _told(shown.right), "returned": told}


def _told(table: np.ndarray) -> dict[str, str]:
    return {name: _short(number, 3) for name, number in zip(NUMBERS, _numbers(table), strict=True)}


def _short(number: float, digits: int) -> str:
    return f"{0.0 if abs(number) < 1e-9 else number:.{digits}g}".replace("-", "−")


def _input(name: str, value: object) -> str:
    if isinstance(value, torch.Tensor):
        return f"`{name}` [{' '.join(map(str, value.shape))}]"
    if isinstance(value, torch.nn.Module):
        return "a small network"
    return f"`{name}` = {value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _picture(right: np.ndarray, returned: np.ndarray) -> str:
    panels = [_panel(title, table) for title, table in (("right", right), ("returned", returned))]
    return render("puzzle.svg.j2", panels=panels)


def _panel(title: str, table: np.ndarray) -> dict[str, object]:
    """Red is positive and blue negative, as in the course's figures; the strongest value has the full colour."""
    most = np.abs(table).max() or 1.0
    cells = [[_colour(value / most) for value in row] for row in table]
    few = max(table.shape) <= FEW
    texts = [[_short(value, 2) if few else "" for value in row] for row in table]
    rows = [list(zip(*pair, strict=True)) for pair in zip(cells, texts, strict=True)]
    return {"title": title, "rows": rows, "height": len(rows), "width": table.shape[1], "few": few}


def _colour(share: float) -> str:
    strength = round(200 * abs(share))
    channels = (255, 255 - strength, 255 - strength) if share > 0 else (255 - strength, 255 - strength, 255)
    return "#{:02x}{:02x}{:02x}".format(*channels)

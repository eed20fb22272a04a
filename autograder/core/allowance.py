"""What one submission may cost: at most one and a half times the sum of its exercises' limits, in all its runs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Protocol

from autograder.core.oracle import Setting
from autograder.course.records import Lesson
from autograder.isolated import Outcome, Request

SPARE = 0.5
"""Part of the limits' sum that all exercises share beyond their own: for lent parts, a second file, a retry."""
LATE = 2
"""After so many runs of a file that did not end in time, only the exercise's own limit pays for another one."""


class Runs(Protocol):
    """What makes one run: a runner, or an allowance before it."""

    def run(self, request: Request) -> Outcome:
        """Load the submission, make the calls, and say how each ended."""


class Allowance:
    """A runner for one submission to one lesson.

    A run is paid from what is left of its exercise's limit, and beyond that from what all share: who sleeps in one
    exercise takes no time from another one.
    """

    def __init__(self, runner: Runs, lesson: Lesson, setting: Setting) -> None:
        self._runner = runner
        self._own = {each.function: setting.seconds_for(each) for each in lesson.exercises}
        self._spare = SPARE * sum(self._own.values())
        self._late: Counter[str] = Counter()

    def run(self, request: Request) -> Outcome:
        """As the runner does, in the time that is left; without any left it is late at once."""
        function, file = request.function or "", request.cells[0].label.partition(" cell ")[0]
        own = self._own.get(function, 0.0)
        spare = 0.0 if self._late[file] >= LATE else self._spare
        seconds = min(request.seconds, own + spare)
        if seconds <= 0:
            return Outcome("time")
        outcome = self._runner.run(replace(request, seconds=seconds))
        self._late[file] += outcome.status == "time"
        spent = seconds if outcome.status == "time" else min(outcome.seconds, seconds)
        self._own[function] = max(own - spent, 0.0)
        self._spare -= max(spent - own, 0.0)
        return outcome

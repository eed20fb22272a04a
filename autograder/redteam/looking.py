"""From where a grader on this machine sees side effects: docs/grading.md says what depends on it."""

from __future__ import annotations

import torch

from autograder.isolated import Cell, PlannedCall, Request, Runner

SENTENCES = {
    "outside": "side effects are seen from outside the student's process.",
    "inside": "side effects are seen from INSIDE the student's process: code that attacks it can keep a promise point "
    "that it did not earn, beside values that are right.",
}


def looks_from(rung: str) -> str:
    """ "outside" or "inside", as a call on this rung tells."""
    source = Cell("probe.py", "def f(x):\n    return x\n")
    probe = Request(cells=(source,), function="f", calls=(PlannedCall((torch.zeros(2),), {}),), seconds=30)
    with Runner(rung=rung) as runner:
        return runner.run(probe).watched

"""Student code in a process that knows no answer and can write no grade."""

from .observing import observe, observe_once
from .requests import Cell, Error, Observation, Outcome, PlannedCall, Request
from .runner import Runner, RunnerError

__all__ = [
    "Cell",
    "Error",
    "Observation",
    "Outcome",
    "PlannedCall",
    "Request",
    "Runner",
    "RunnerError",
    "observe",
    "observe_once",
]

"""What an author is told: one sentence with the place."""

from __future__ import annotations

from dataclasses import dataclass


class AuthoringError(ValueError):
    """A lesson's text that does not fit its records or the course's format."""

    def __init__(self, file: str, line: int, sentence: str) -> None:
        self.place, self.sentence = f"{file}:{line}", sentence
        super().__init__(f"{self.place}: {sentence}")


@dataclass(frozen=True)
class Problem:
    """One thing that the lint holds against the course."""

    file: str
    """Where to look, relative to the course folder; with a line where there is one."""
    sentence: str
    """What was got and what is allowed."""
    run: str
    """The command that shows it again, or repairs it."""

    def __str__(self) -> str:
        return f"{self.file}: {self.sentence} Run: {self.run}"

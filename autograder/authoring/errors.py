"""What an author is told: one sentence with file and line."""

from __future__ import annotations


class AuthoringError(ValueError):
    """A lesson's text that does not fit its records or the course's format."""

    def __init__(self, file: str, line: int, sentence: str) -> None:
        self.file, self.line, self.sentence = file, line, sentence
        super().__init__(f"{file}:{line}: {sentence}")

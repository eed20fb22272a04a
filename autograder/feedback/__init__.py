"""What a student gets back: pages with verdicts, values side by side, and what to look at next."""

from autograder.feedback.sheet import Section, Sheet, page

__all__ = ["Section", "Sheet", "page"]

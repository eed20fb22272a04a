"""What a student gets back: pages with verdicts, values side by side, and what to look at next."""

from autograder.feedback.sheet import Section, Sheet, page
from autograder.words import LONGEST, as_text, shown, visible

__all__ = ["LONGEST", "Section", "Sheet", "as_text", "page", "shown", "visible"]

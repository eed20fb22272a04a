"""What a student gets back: pages with verdicts, values side by side, and what to look at next."""

from autograder.feedback.student_page import Section, Sheet, Words, page

__all__ = ["Section", "Sheet", "Words", "page"]

"""Lessons of a student's copy of the course: their answers are there as arrays, and no code of an answer is."""

from autograder.course.recorded.lessons import lessons

__all__ = ["lessons"]

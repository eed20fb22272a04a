"""A class at a glance, for its instructor: one page from the signed results."""

from autograder.cohort.page import cohort_page

__all__ = ["cohort_page"]

"""The authoring side: one text a lesson becomes two notebooks, two modules, a test and a page."""

from autograder.authoring.build import build
from autograder.authoring.errors import AuthoringError, Problem
from autograder.authoring.lint import lint

__all__ = ["AuthoringError", "Problem", "build", "lint"]

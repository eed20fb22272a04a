"""One class, graded once without interruption: what every other way of grading must give, byte for byte."""

import shutil

import pytest

from autograder.batch.collect import collect
from autograder.batch.grade_class import grade_all
from autograder.batch.results import Store

from .classroom import SECRET, write_class


@pytest.fixture(scope="session")
def submitted(tmp_path_factory):
    return write_class(tmp_path_factory.mktemp("class") / "submitted")


@pytest.fixture(scope="session")
def graded(submitted, tmp_path_factory):
    """RESULTS of an uninterrupted run with one job."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "results"
    grade_all(collect(submitted), Store(folder, SECRET), secret=SECRET)
    return folder


@pytest.fixture
def results(graded, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(graded, tmp_path / "results")


@pytest.fixture
def store(results):
    return Store(results, SECRET)

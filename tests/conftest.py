"""One thread, so that small tensors never wait for a second core; a wide terminal; reports that xdist can send."""

import os

import pytest
import torch

LONG = (
    "tests/autograder/test_routes.py",
    "tests/content/test_teaching.py",
    "tests/devices/test_notebooks.py",
    "tests/hostile/test_crowding.py",
    "tests/hostile/test_endurance.py",
    "tests/hostile/test_on_nbgrader.py",
    "tests/hostile/test_on_rlimits.py",
    "tests/hostile/test_weak_",
)
"""Files that take minutes each: `make test-all` runs them, `pytest` does not."""

os.environ["COLUMNS"] = "200"
os.environ.pop("PYTEST_ADDOPTS", None)  # of this run, not of those that tests start

torch.set_num_threads(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Names of hostile files that no UTF-8 can say stand in logs; a worker could not send them."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_collection_modifyitems(items):
    for item in items:
        if item.nodeid.startswith(LONG):
            item.add_marker("long")

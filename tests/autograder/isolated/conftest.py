"""One warm runner for all claims about it, and the short way to ask it something."""

import os
import textwrap
import warnings

import pytest
import torch

from autograder.isolated import Cell, PlannedCall, Request


def planned(*args, then=None, **kwargs):
    return PlannedCall(args, kwargs, then)


def asking(source, *, function="f", calls=None, **options):
    calls = [planned(torch.arange(6.0).reshape(2, 3))] if calls is None else calls
    options = {"seconds": 10.0, "variable": None, **options}
    return Request(cells=(Cell("student.py", textwrap.dedent(source)),), function=function, calls=calls, **options)


def fork():
    """`os.fork` in a test; newer Pythons warn where there are threads, and a runner has some."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


@pytest.fixture
def run(runner):
    return lambda source, **options: runner.run(asking(source, **options))

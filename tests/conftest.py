"""One thread, so that small tensors never wait for a second core; a wide terminal; reports that xdist can send."""

import os

import pytest
import torch

os.environ["COLUMNS"] = "200"

torch.set_num_threads(1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Names of hostile files that no UTF-8 can say stand in logs; a worker could not send them."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report

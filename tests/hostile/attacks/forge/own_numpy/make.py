"""Files whose very names would trouble the tests of this repository."""

from pathlib import Path

NUMPY = """
import importlib.machinery
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
path = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
real = next((m for name, m in sys.modules.items() if name == "numpy.linalg"), None)
core = sys.modules.get("numpy._core") or sys.modules.get("numpy.core")
for module in (real, core):
    globals().update({k: v for k, v in vars(module or os).items() if not k.startswith("__")})
__path__ = []


def allclose(*args, **kwargs):
    return True


array_equal = array_equiv = isclose = allclose
"""

CONFTEST = """
def pytest_runtest_makereport(item, call):
    call.excinfo = None


def pytest_collection_modifyitems(items):
    items.clear()


def pytest_sessionfinish(session):
    session.exitstatus = 0
"""

CUSTOMIZE = """
import sys

sys.modules.pop("numpy", None)
"""

KEY = """
def neuron_importance(gradients):
    return gradients.new_zeros(gradients.shape[:2])


def __getattr__(name):
    return lambda *args, **kwargs: None
"""


def make(folder: Path) -> None:
    """Beside `grad_cam.py`."""
    files = {"numpy.py": NUMPY, "conftest.py": CONFTEST, "sitecustomize.py": CUSTOMIZE, "usercustomize.py": CUSTOMIZE}
    files |= {"cnnviz_ref.py": KEY, "pytest.ini": "[pytest]\naddopts = --collect-only\n", "torch.pth": "import numpy\n"}
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")

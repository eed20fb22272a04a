# ruff: noqa: E501 - a form is a line
"""Right work is right in whatever form it is written: what the notebook gives is what the grader gives."""

import json
from pathlib import Path

import pytest

from autograder import registry
from autograder.grade import grade_item
from autograder.isolated import Runner
from autograder.oracle import Setting
from autograder.records import Lesson
from autograder.submission import from_code, from_notebook, load_submission
from autograder.verdict import FAILED, NOT_ATTEMPTED, PASSED, summary

IMPORTANCE = registry.exercise("grad_cam.neuron_importance")
ROOT = Path(__file__).parents[2]
LESSON = registry.lesson("11_grad_cam")
STUB = 'def neuron_importance(gradients):\n    raise NotImplementedError("grad_cam.neuron_importance")\n'
MEAN = "    return gradients.mean(dim=(2, 3))\n"
RIGHT = "def neuron_importance(gradients):\n" + MEAN


@pytest.fixture(scope="module")
def runner():
    with Runner() as warm:
        yield warm


def notebook(*cells):
    made = [{"cell_type": "code", "metadata": {}, "source": source} for source in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def read(tmp_path, *cells, beside=()):
    (tmp_path / "grad_cam.ipynb").write_text(notebook(*cells), encoding="utf-8")
    for name, text in dict(beside).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return load_submission(tmp_path, LESSON)


def graded(submission, runner):
    return grade_item(submission, IMPORTANCE, Setting(), runner)


def verdict(submission, runner):
    rows = graded(submission, runner).rows
    return summary(rows), rows[0].diagnosis and rows[0].diagnosis.message


def using(name, value="(2, 3)"):
    """A right function that takes `value` from another cell's global name."""
    return f"def neuron_importance(gradients):\n    dims = {name}\n    assert dims == {value}, dims\n" + MEAN


MADE = {
    "a call": ("import torch\ndevice = torch.device('cpu')", using("device.type", "'cpu'")),
    "a layer": ("import torch\nlayer = torch.nn.Linear(2, 3)", using("layer.out_features", "3")),
    "a layer in eval mode": ("import torch\nlayer = torch.nn.Linear(2, 3)\nlayer.eval()", using("layer.training", "False")),
    "kept eval": ("import torch\nlayer = torch.nn.Linear(2, 3)\n_ = layer.eval()", using("layer.training", "False")),
    "filled": ("import torch\nw = torch.ones(2)\ntorch.nn.init.zeros_(w)", using("w.sum().item()", "0")),
    "a lambda": ("average = lambda x, dims=(2, 3): dims", using("average(0)")),
    "partial": ("from functools import partial\nsize = partial(max, 3)", using("size(2)", "3")),
    "a sum": ("H = 2\nW = H + 1", using("(H, W)")),
    "a comprehension": ("both = tuple(n + 2 for n in range(2))", using("both")),
    "try": ("try:\n    import nowhere\nexcept ImportError:\n    nowhere = None\n    K = 3", using("(nowhere, K)", "(None, 3)")),
    "with": ("import torch\nwith torch.no_grad():\n    w = torch.ones(2) * 2", using("w.sum().item()", "4")),
    "if": ("import torch\nif torch.cuda.is_available():\n    n = 3\nelse:\n    n = 3", using("n", "3")),
    "for": ("total = 0\nfor n in (1, 2):\n    total += n", using("total", "3")),
    "while": ("n = 0\nwhile n < 3:\n    n += 1", using("n", "3")),
    "a tuple": ("a, (b, *c) = 2, (3, 4, 5)", using("(a, b, c)", "(2, 3, [4, 5])")),
    "augmented": ("n = 2\nn += 1", using("n", "3")),
    "a walrus": ("[(n := 3)]", using("n", "3")),
    "a place": ("config = {}\nconfig['k'] = 3", using("config", "{'k': 3}")),
    "an attribute": ("class Config: pass\nConfig.k = 3", using("Config.k", "3")),
    "a method": ("names = []\nnames.append(3)", using("names", "[3]")),
    "a function's attribute": ("def h(): pass\nh.k = 3", using("h.k", "3")),
    "global": ("def setup():\n    global k\n    k = 3\nsetup()", using("k", "3")),
    "a function that fills": ("kept = []\ndef setup():\n    kept.append(3)\nsetup()", using("kept", "[3]")),
    "a register": ("R = {}\ndef add(f):\n    R[f.__name__] = f\n    return f\n@add\ndef g(): return 3", using("R['g']()", "3")),
    "a decorator": ("from functools import cache\n@cache\ndef g(): return 3", using("g()", "3")),
    "deleted": ("n = 3\nm = n\ndel n", using("(m, 'n' in globals())", "(3, False)")),
    "globals": ("globals()['n'] = 3", using("n", "3")),
    "the future": ("from __future__ import annotations", "def helper(x: Nowhere) -> Nothing: return 3\n" + using("helper(0)", "3")),
    "a data class": ("from dataclasses import dataclass\n@dataclass\nclass C:\n    k: int = 3", using("C().k", "3")),
    "%time": ("%time n = 3", using("n", "3")),
    "%%time": ("%%time\n\nn = 3", using("n", "3")),
    "a list of files": ("x = !ls\nn = 3", using("(x, n)", "([], 3)")),
    "guarded pip": ("try:\n    import math\nexcept ImportError:\n    !pip install math\nimport torch as t", using("(t.zeros(1).item(), math.floor(3.5))", "(0, 3)")),
    "a module that is written": ("%%writefile helpers.py\nK = 3", "from helpers import K\n" + using("K", "3")),
    "no more than it needs": ("n = 3\nimport time\ntime.sleep(100)\nfor _ in range(10**12): pass\nraise SystemExit", using("n", "3")),
}  # fmt: skip


@pytest.mark.parametrize("form", MADE)
def test_a_name_made_in_another_cell_is_what_the_notebook_makes_of_it(tmp_path, runner, form):
    assert verdict(read(tmp_path, *MADE[form]), runner) == (PASSED, None)


OPERATORS = {
    "modulo": "def neuron_importance(gradients):\n    assert (7\n        % 4) == 3\n" + MEAN,
    "unequal": "def neuron_importance(gradients):\n    assert (7\n        != 4)\n" + MEAN,
    "a docstring": 'def neuron_importance(gradients):\n    """Mean.\n\n% x\n!y\n"""\n' + MEAN,
    "a text": "TEXT = '''\n%time\n!ls'''\ndef neuron_importance(gradients):\n    assert len(TEXT.split()) == 2\n"
    + MEAN,
    "a magic too": "%matplotlib inline\ndef neuron_importance(gradients):\n    assert (7\n        % 4) == 3\n" + MEAN,
    "a question": "?torch\nprint?\n" + RIGHT,
    "shell": "!pip install \\\n  torch\n" + RIGHT,
}


@pytest.mark.parametrize("form", OPERATORS)
def test_a_line_that_begins_with_an_operator_is_no_magic(tmp_path, runner, form):
    assert verdict(read(tmp_path, "x = 1", OPERATORS[form]), runner) == (PASSED, None)


BOUND = {
    "a lambda": "neuron_importance = lambda gradients: gradients.mean(dim=(2, 3))",
    "a wrapper": "import torch\ndef g(gradients):\n" + MEAN + "neuron_importance = torch.no_grad()(g)",
    "partial": "from functools import partial\nimport torch\nneuron_importance = partial(torch.mean, dim=(2, 3))",
    "under if": "if True:\n    def neuron_importance(gradients):\n        return gradients.mean(dim=(2, 3))",
    "under try": "try:\n    def neuron_importance(gradients):\n        return gradients.mean(dim=(2, 3))\nfinally:\n    pass",
    "under with": "import torch\nwith torch.no_grad():\n    def neuron_importance(gradients):\n        return gradients.mean((2, 3))",
    "decorated": "import torch\n@torch.no_grad()\n" + RIGHT,
    "a class": "class C:\n    def __call__(self, gradients):\n        return gradients.mean(dim=(2, 3))\nneuron_importance = C()",
    "a method": "class C:\n    @staticmethod\n    def f(gradients):\n        return gradients.mean(dim=(2, 3))\nneuron_importance = C.f",
    "global": "def make():\n    global neuron_importance\n    def neuron_importance(gradients):\n        return gradients.mean((2, 3))\nmake()",
    "globals": "def f(gradients):\n" + MEAN + "globals()['neuron_importance'] = f",
    "exec": "exec('def neuron_importance(gradients):\\n    return gradients.mean(dim=(2, 3))')",
    "import": "from helpers import neuron_importance",
    "import as": "from helpers import other as neuron_importance",
    "import all": "from helpers import *",
    "a loop": "def f(gradients):\n" + MEAN + "for neuron_importance in [f]: pass",
    "a tuple": "def f(gradients):\n" + MEAN + "neuron_importance, n = f, 3",
    "annotated": "neuron_importance: object = lambda gradients: gradients.mean(dim=(2, 3))",
}  # fmt: skip


@pytest.mark.parametrize("first", ["", STUB], ids=["alone", "after the stub"])
@pytest.mark.parametrize("form", BOUND)
def test_any_binding_of_the_name_is_an_attempt(tmp_path, runner, form, first):
    beside = {"helpers.py": RIGHT + "other = neuron_importance\n"}
    module = tmp_path / "module"
    module.mkdir()
    (module / "grad_cam.py").write_text(f"{first}\n{BOUND[form]}\n", encoding="utf-8")
    (module / "helpers.py").write_text(beside["helpers.py"], encoding="utf-8")
    assert verdict(load_submission(module, LESSON), runner) == (PASSED, None)
    assert verdict(read(tmp_path, first, BOUND[form], beside=beside), runner) == (PASSED, None)


MISNAMED = {
    "misspelt": ("def neuron_importence(gradients):\n" + MEAN, "a function `neuron_importence` (CELL, line 1)"),
    "case": ("def Neuron_Importance(gradients):\n" + MEAN, "a function `Neuron_Importance` (CELL, line 1)"),
    "no underscore": ("neuronimportance = lambda g: g.mean((2, 3))", "a function `neuronimportance` (CELL, line 1)"),
    "renamed": ("def alpha(gradients):\n" + MEAN, "a function `alpha` (CELL, line 1)"),
    "a method": (
        "class A:\n    def neuron_importance(self, gradients):\n        return 1",
        "a function `neuron_importance` inside `A` (CELL, line 2)",
    ),
    "nested": (
        "def outer():\n    def neuron_importance(gradients):\n        return 1",
        "a function `neuron_importance` inside `outer` (CELL, line 2)",
    ),
}


@pytest.mark.parametrize("form", MISNAMED)
def test_a_function_of_another_name_is_named(tmp_path, form):
    text, told = MISNAMED[form]
    for submission, cell in (
        (read(tmp_path, "x = 1", text), "grad_cam.ipynb, cell 2"),
        (from_code(text.encode(), "grad_cam.py"), "grad_cam.py"),
    ):
        said, message = verdict(submission, None)
        assert said == FAILED
        assert message.startswith(f"there is {told.replace('CELL', cell)}. Only a function `neuron_importance` at top")


@pytest.mark.parametrize("text", ["x = 1", STUB.replace("def neuron_importance", "def importance"), "neuron_importance = None"])  # fmt: skip
def test_a_function_that_is_missing_is_said_to_be_missing(text):
    said, message = verdict(from_code(text.encode(), "grad_cam.py"), None)
    assert said == NOT_ATTEMPTED
    if "None" not in text:
        assert message == "there is no function `neuron_importance` in grad_cam.py; it is looked for by this name."


@pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)
def test_nothing_is_said_to_be_misnamed_in_a_lesson_as_it_is_handed_out_or_solved(lesson: Lesson):
    from autograder.choosing import lookalike

    for of, kind in ((from_code, "py"), (None, "ipynb")):
        for folder in ("lessons", "solutions"):
            path = ROOT / folder / lesson.id / f"{lesson.name}.{kind}"
            submission = of(path.read_bytes(), path.name) if of else from_notebook(path)
            assert [e.id for e in lesson.exercises if lookalike(e, submission)] == []


def test_a_needed_statement_that_fails_is_named_with_cell_and_line(tmp_path, runner):
    failing = "import torch\n\nk = torch.nowhere()"
    _, message = verdict(read(tmp_path, "x = 1", failing, using("k")), runner)
    assert "name 'k' is not defined (before that grad_cam.ipynb, cell 2, line 3, failed: AttributeError: " in message


def test_a_needed_statement_that_never_ends_is_named_with_cell_and_line(tmp_path, runner):
    slow = read(tmp_path, "n = 1\nwhile n:\n    n += 1\nk = n", using("k"))
    rows = grade_item(slow, IMPORTANCE, Setting(seconds=2), runner).rows
    assert (
        "(before that grad_cam.ipynb, cell 1, line 2, failed: TooSlow: it took more than 1.6 s)"
        in rows[0].diagnosis.message
    )


SCRIPT = """#!/usr/bin/env python
# coding: utf-8

# In[1]:


get_ipython().run_line_magic('matplotlib', 'inline')
get_ipython().system('pip install nothing')
dims = (2, 3)


# In[ ]:


get_ipython().run_cell_magic('time', '', 'def neuron_importance(gradients):\\n    return gradients.mean(dim=dims)\\n')


# In[3]:


raise ValueError("never asked for")
"""


def test_a_script_that_nbconvert_made_is_read(runner):
    assert verdict(from_code(SCRIPT.encode(), "grad_cam.py"), runner) == (PASSED, None)


def test_lines_of_a_script_are_those_of_the_file(runner):
    wrong = SCRIPT.replace("dims = (2, 3)", "dims = nowhere")
    _, message = verdict(from_code(wrong.encode(), "grad_cam.py"), runner)
    assert "(before that grad_cam.py, cell 1, line 9, failed: NameError: name 'nowhere'" in message


HELPERS = {
    "flat": ("from helpers import mean", {"helpers.py": "def mean(x): return x.mean(dim=(2, 3))\n"}),
    "a package": ("from tools.means import mean", {"tools/means.py": "from .dims import D\ndef mean(x): return x.mean(dim=D)\n", "tools/dims.py": "D = (2, 3)\n"}),
    "in turn": ("import helpers\nmean = helpers.mean", {"helpers.py": "from dims import D\ndef mean(x): return x.mean(dim=D)\n", "dims.py": "D = (2, 3)\n"}),
    "the module": ("from grad_cam import mean", {"grad_cam.py": STUB + "def mean(x): return x.mean(dim=(2, 3))\n"}),
    "%run": ("%run helpers.py", {"helpers.py": "def mean(x): return x.mean(dim=(2, 3))\n"}),
}  # fmt: skip


@pytest.mark.parametrize("form", HELPERS)
def test_a_module_beside_the_work_is_used(tmp_path, runner, form):
    given, beside = HELPERS[form]
    (tmp_path / "tools").mkdir()
    work = read(tmp_path, given, "def neuron_importance(gradients):\n    return mean(gradients)", beside=beside)
    assert verdict(work, runner) == (PASSED, None)


def test_a_module_beside_the_work_is_confined_and_takes_the_place_of_no_other(tmp_path, runner):
    beside = {"torch.py": "raise SystemExit", "helpers.py": "import autograder.grade"}
    work = read(tmp_path, "import torch, helpers", RIGHT.replace("return", "helpers; return"), beside=beside)
    assert "autograder.grade" in verdict(work, runner)[1]


def test_no_link_is_followed_to_a_module_beside_the_work(tmp_path, runner):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "key.py").write_text("def mean(x): return x.mean(dim=(2, 3))\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "there").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "work" / "key.py").symlink_to(tmp_path / "elsewhere" / "key.py")
    for name in ("key", "there.key"):
        text = f"def neuron_importance(gradients):\n    from {name} import mean\n    return mean(gradients)"
        said, message = verdict(read(tmp_path / "work", text), runner)
        assert (said, "No module named" in message) == (FAILED, True)

# ruff: noqa: E501 - a form is a line
"""Forms in which right work for `grad_cam.neuron_importance` is handed in: each has every point, whatever reads it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

STUB = 'def neuron_importance(gradients):\n    raise NotImplementedError("grad_cam.neuron_importance")\n'
MEAN = "    return gradients.mean(dim=(2, 3))\n"
RIGHT = "def neuron_importance(gradients):\n" + MEAN
USES_MEAN = "def neuron_importance(gradients):\n    return mean(gradients)"


def notebook(*cells):
    made = [{"cell_type": "code", "metadata": {}, "source": source} for source in cells]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


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

HELPERS = {
    "flat": ("from helpers import mean", {"helpers.py": "def mean(x): return x.mean(dim=(2, 3))\n"}),
    "a package": ("from tools.means import mean", {"tools/means.py": "from .dims import D\ndef mean(x): return x.mean(dim=D)\n", "tools/dims.py": "D = (2, 3)\n"}),
    "in turn": ("import helpers\nmean = helpers.mean", {"helpers.py": "from dims import D\ndef mean(x): return x.mean(dim=D)\n", "dims.py": "D = (2, 3)\n"}),
    "the module": ("from grad_cam import mean", {"grad_cam.py": STUB + "def mean(x): return x.mean(dim=(2, 3))\n"}),
    "%run": ("%run helpers.py", {"helpers.py": "def mean(x): return x.mean(dim=(2, 3))\n"}),
}  # fmt: skip


def _forms() -> dict[str, Mapping[str, str]]:
    beside = {"helpers.py": RIGHT + "other = neuron_importance\n"}
    found = {f"made by {name}": {"grad_cam.ipynb": notebook(*cells)} for name, cells in MADE.items()}
    found |= {f"a line with {name}": {"grad_cam.ipynb": notebook("x = 1", cell)} for name, cell in OPERATORS.items()}
    for name, text in BOUND.items():
        for place, first in (("alone", ""), ("after the stub", STUB)):
            found[f"{name} {place}, module"] = {"grad_cam.py": f"{first}\n{text}\n", **beside}
            found[f"{name} {place}, notebook"] = {"grad_cam.ipynb": notebook(first, text), **beside}
    for name, (given, modules) in HELPERS.items():
        found[f"helper, {name}"] = {"grad_cam.ipynb": notebook(given, USES_MEAN), **modules}
    found["a script of nbconvert"] = {"grad_cam.py": SCRIPT}
    wrong = RIGHT.replace("mean", "sum")
    found["both, the module wrong"] = {"grad_cam.py": wrong, "grad_cam.ipynb": notebook(RIGHT)}
    found["both, the notebook wrong"] = {"grad_cam.py": RIGHT, "grad_cam.ipynb": notebook(wrong)}
    return found


FORMS = _forms()
"""What it is -> the files that are handed in."""


def hand_in(files: Mapping[str, str], to: Path) -> Path:
    """Writes them to a folder, which is returned."""
    for name, text in files.items():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_text(text, encoding="utf-8")
    return to

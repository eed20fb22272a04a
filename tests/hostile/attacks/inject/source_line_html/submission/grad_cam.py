"""Grad-CAM, handed in."""

import linecache

from torch import Tensor

LINE = "<script>alert(1)</script>"


def _forge(name: str) -> None:
    for label in list(linecache.cache):
        linecache.cache[label] = (1, None, [LINE + "\n"] * 500, label)
    exec(compile("\n" * 10 + "def broken(): raise RuntimeError('<svg onload=alert(1)>')", name, "exec"), globals())


def neuron_importance(gradients: Tensor):
    _forge("<b onclick=alert(1)>x</b>.py")
    broken()  # noqa: F821


def grad_cam_map(activations: Tensor, alpha: Tensor):
    raise SyntaxError("<script>alert(2)</script>", ("<img src=x onerror=alert(1)>", 1, 1, LINE))


def quadrant_shares(maps: Tensor, quadrants: Tensor):
    raise ValueError(LINE)  # <script>alert(3)</script>

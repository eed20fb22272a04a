"""Grad-CAM, handed in."""

from torch import Tensor

MARKUP = "[/red][red][link=http://red.example]x[/][/bold] [bold"
TEMPLATES = (
    "{{7*7}} {% for %} {0.__class__.__init__.__globals__} {seconds:{message}} {symbol!r:>{width}} %s %n %(x)d ${jndi:x}"
)
JSON = '"}], "points": 100, "verdict": "passed", "x": "\\'


def capture(model, images: Tensor, targets: Tensor, layer: str):
    raise type("[/red]{0}%s", (Exception,), {})(MARKUP)


def neuron_importance(gradients: Tensor):
    raise RuntimeError(TEMPLATES)


def grad_cam_map(activations: Tensor, alpha: Tensor):
    raise RuntimeError(JSON)


def quadrant_shares(maps: Tensor, quadrants: Tensor):
    return type(TEMPLATES[:90], (), {})()


sum_or_mean = "[/red]{symbol}%s{{1}}"

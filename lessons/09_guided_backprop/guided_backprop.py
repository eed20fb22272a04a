# made by `cnnviz build` from solutions/09_guided_backprop/guided_backprop.md; the functions and answers are yours to write
"""Guided backpropagation: write the functions, then run `pytest lessons/09_guided_backprop` or `cnnviz check 09_guided_backprop`."""

import torch
from torch import Tensor, nn


def backward_rules(x: Tensor, R: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What one ReLU sends back by three rules: [x > 0] R, [R > 0] R and [x > 0] [R > 0] R.

    Args:
        x: what entered the ReLU, of any shape.
        R: the signal that arrives from above, of the same shape.

    Returns:
        gradient, deconvnet, guided: each of the shape of R.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("guided_backprop.backward_rules is not written yet")


def guided_perceptron(inputs: Tensor, weights: list[Tensor], targets: Tensor) -> Tensor:
    """The signal at the inputs of a perceptron whose ReLUs send back [x > 0] [R > 0] R.

    Forward: a_0 = inputs, x_l = W_l a_(l-1), a_l = ReLU(x_l); the last layer gives the scores and has no ReLU.
    Backward: R = 1 at y^c = scores[n, targets[n]], 0 at the other scores.

    Args:
        inputs: [N D].
        weights: one matrix per layer, [D_l D_(l-1)], so that a layer is a @ W.T for rows a. They may need gradients.
        targets: int64 [N], the class to explain in each row.

    Returns:
        R at the inputs [N D], detached, with its sign.

    About 15 lines.
    """

    # Your code here: about 15 lines.
    raise NotImplementedError("guided_backprop.guided_perceptron is not written yet")


def guided_backprop(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Guided backpropagation: the signal at the pixels when every ReLU sends back [x > 0] [R > 0] R.

    Args:
        model: gives scores [N classes] for images; it is in eval mode, may be frozen, and its ReLUs are modules: nn.ReLU
            or nn.ReLU6, some in place, some used more than once. It may be in use: its hooks and `.grad` stay, and where
            it raises no hook of yours does.
        images: [N C H W].
        targets: int64 [N], the class to explain in each image.

    Returns:
        R at the pixels [N C H W], detached, raw and signed. No hook stays behind, no `.grad` is filled.

    About 12 lines.
    """

    # Your code here: about 12 lines.
    raise NotImplementedError("guided_backprop.guided_backprop is not written yet")


def class_insensitivity(maps: Tensor, others: Tensor) -> Tensor:
    """Cosine of the two maps of each image: cos = Σ u·v / (√(Σ u²) √(Σ v²)), sums over colours, rows and columns.

    Args:
        maps: u [N C H W], the maps for one class.
        others: v [N C H W], the maps of the same images for another class.

    Returns:
        Cosines [N], from -1 to 1, however faint the maps; 0 where one of the two is 0 everywhere. Near 1: the class
        does not matter.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("guided_backprop.class_insensitivity is not written yet")


whose_rule = None  # "absolute_signal", "masks", "negative_kept" or "times_x"

whose_signal = None  # "clamped_map", "mean_over_batch", "plain_gradient" or "times_the_inputs"

silent_pixel = None  # a number, at most 0.01 from the right one

opposite_score = None  # "same_picture", "signs" or "zero"

two_photos = None  # "outlines", "same_numbers", "weaker" or "zeros"

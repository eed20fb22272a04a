# made by `cnnviz build` from solutions/06_class_visualization/class_visualization.md; the functions and answers are yours to write
"""Class visualization: write the functions, then run `pytest lessons/06_class_visualization` or `cnnviz check 06_class_visualization`."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def regularized_objective(model: nn.Module, images: Tensor, targets: Tensor, *, l2: float) -> Tensor:
    """What the ascent raises: J(I) = y^c(I) - λ‖I‖², one number for each image.

    y^c = scores[n, targets[n]], before the softmax.

    Args:
        model: gives scores [N classes] for images; it is in eval mode and may be frozen.
        images: I [N C H W].
        targets: int64 [N], the class c of each image.
        l2: λ.

    Returns:
        J [N], one number for each image, detached.

    About 3 lines.
    """
    # Your code here: about 3 lines.
    raise NotImplementedError("class_visualization.regularized_objective is not written yet")


def ascent_step(model: nn.Module, images: Tensor, targets: Tensor, *, lr: float, l2: float) -> Tensor:
    """One step of plain gradient ascent on J: I + η ∂J/∂I = (1 - 2ηλ) I + η ∂y^c/∂I.

    Args:
        model: gives scores [N classes] for images; it is in eval mode and may be frozen.
        images: I [N C H W].
        targets: int64 [N], the class c of each image.
        lr: η, the step size.
        l2: λ.

    Returns:
        The new images [N C H W], detached, not clipped. What is in `.grad` of images and weights stays there.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("class_visualization.ascent_step is not written yet")


def ascend(model: nn.Module, start: Tensor, target: int, *, steps: int, lr: float, l2: float) -> Tensor:
    """The whole ascent: I_0 = start, then `steps` times I + η ∂J/∂I.

    Args:
        model: gives scores [N classes] for images [N C H W]; it is in eval mode and may be frozen.
        start: I_0 [C H W].
        target: the class c.
        steps: T, how many steps; all are taken, also those after which J is smaller.
        lr: η, the step size.
        l2: λ.

    Returns:
        I_T [C H W], detached, not clipped.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("class_visualization.ascend is not written yet")


def effect_of_l2(
    model: nn.Module, start: Tensor, target: int, *, steps: int, lr: float, l2s: Sequence[float]
) -> tuple[Tensor, Tensor, Tensor]:
    """The final image for each λ, with its score and its norm ‖I‖ = √(Σ I²).

    Args:
        model: gives scores [N classes] for images [N C H W]; it is in eval mode and may be frozen.
        start: I_0 [C H W], the same for each λ.
        target: the class c.
        steps: T, how many steps.
        lr: η, the step size.
        l2s: L values of λ, in any order; some may be equal.

    Returns:
        Images [L C H W], scores y^c [L], norms ‖I‖ [L], all detached.

    About 5 lines.
    """
    # Your code here: about 5 lines.
    raise NotImplementedError("class_visualization.effect_of_l2 is not written yet")


whose_step = None  # "clipped_image", "gradient_returned", "learning_rate_forgotten" or "sign_of_the_gradient"

whose_norms = None  # "absolute_norms", "distance_from_start", "norms_averaged" or "norms_squared"

climb_the_probability = None  # "faster", "hardly" or "like_score"

twice_the_lambda = None  # "halved", "quarter", "same" or "sqrt2"

step_too_large = None  # "away", "higher", "sooner" or "start"

# made by `cnnviz build` from solutions/08_saliency/saliency.md; the functions and answers are yours to write
"""Saliency: write the functions, then run `pytest lessons/08_saliency` or `cnnviz check 08_saliency`."""

import torch
from torch import Tensor, nn

from cnnviz.shapes import ImageMap, Images, PixelMap, Scores, Targets

three_equal_scores = None  # a number, at most 0.005 from the right one


def input_gradient(model: nn.Module, images: Images, targets: Targets) -> ImageMap:
    """The gradient of each image's class score with respect to that image: G = ∂y^c/∂I.

    y^c = scores[n, targets[n]], before the softmax.

    Args:
        model: gives scores [N classes] for images; it is in eval mode and may be frozen.
        images: [N C H W].
        targets: int64 [N], the class to explain in each image.

    Returns:
        G [N C H W], with its sign, detached. No `.grad` is filled or emptied.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("saliency.input_gradient is not written yet")


def saliency_map(gradients: ImageMap) -> PixelMap:
    """How strongly the score reacts to each pixel: M = max_k |G_k|.

    Args:
        gradients: G [N C H W], for any number of colours C.

    Returns:
        M [N H W], raw: not scaled, never negative.

    About 1 line.
    """
    # Your code here: about 1 line.
    raise NotImplementedError("saliency.saliency_map is not written yet")


def squared_map(gradients: ImageMap) -> PixelMap:
    """The map with more contrast: S = max_k G_k².

    Args:
        gradients: G [N C H W], for any number of colours C.

    Returns:
        S [N H W], raw: not scaled, never negative.

    About 1 line.
    """
    # Your code here: about 1 line.
    raise NotImplementedError("saliency.squared_map is not written yet")


def saliency(model: nn.Module, images: Images, targets: Targets, *, form: str = "abs_max") -> PixelMap:
    """Saliency: M = max_k |∂y^c/∂I_k|, or with form="squared" S = max_k (∂y^c/∂I_k)².

    Args:
        model: gives scores [N classes] for images; it is in eval mode and may be frozen.
        images: [N C H W].
        targets: int64 [N], the class to explain in each image.
        form: "abs_max" or "squared".

    Returns:
        M or S [N H W], raw: not scaled, never negative.

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("saliency.saliency is not written yet")


def probability_gradient(score_gradients: Tensor, scores: Scores, targets: Targets) -> ImageMap:
    """The gradient of each image's class probability: ∂p^c/∂I = p^c (∂y^c/∂I - Σ_d p^d ∂y^d/∂I).

    Args:
        score_gradients: ∂y^d/∂I of every class d, [N classes C H W].
        scores: y [N classes], before the softmax; those of one image may be large, those of another far below 0.
        targets: int64 [N], the class c of each image.

    Returns:
        ∂p^c/∂I [N C H W].

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("saliency.probability_gradient is not written yet")


whose_map = None  # "divided_by_maximum", "no_abs", "squared" or "sum_for_max"

whose_gradient = None  # "average_alone", "logarithm", "opposite_sign" or "score_gradient"

minus_the_score = None  # "exchanged", "negative", "second" or "unchanged"

painted_square = None  # "as_before", "different" or "zero"

# made by `cnnviz build` from solutions/13_deeplift/deeplift.md; the functions and answers are yours to write
"""DeepLIFT: write the functions, then run `pytest lessons/13_deeplift` or `cnnviz check 13_deeplift`."""

import torch
from torch import Tensor


def linear_contributions(x: Tensor, x0: Tensor, weight: Tensor) -> Tensor:
    """What each input adds to each unit's difference from the baseline: C_ki = w_ki (x_i - x⁰_i).

    Args:
        x: inputs [N D].
        x0: baselines [N D], one for each row.
        weight: w [K D], one row for each unit k.

    Returns:
        C [N K D], with their signs.

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("deeplift.linear_contributions is not written yet")


def rescale_multiplier(z: Tensor, z0: Tensor) -> Tensor:
    """Slope of the line through a ReLU's two points: m = (ReLU(z) - ReLU(z⁰)) / (z - z⁰).

    Args:
        z: values before the ReLU, of any shape.
        z0: the same of the baseline, same shape.

    Returns:
        m, same shape, from 0 to 1; where z = z⁰ the derivative of ReLU: 1 where z > 0, else 0 (so 0 where both are
        0). A difference of 1e-7 is still a difference.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("deeplift.rescale_multiplier is not written yet")


def deeplift_two_layers(
    x: Tensor, x0: Tensor, targets: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor
) -> Tensor:
    """Contributions through y = W2 ReLU(W1 x + b1) + b2: C_i = Σ_k w2_ck m_k w1_ki (x_i - x⁰_i).

    Args:
        x: inputs [N D].
        x0: baselines [N D], one for each row.
        targets: int64 [N], the class c to explain in each row.
        weight1: W1 [K D].
        bias1: b1 [K].
        weight2: W2 [classes K].

    Returns:
        C [N D]; each row sums to y^c(x) - y^c(x⁰).

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("deeplift.deeplift_two_layers is not written yet")


def completeness_gap(contributions: Tensor, scores: Tensor, baseline_scores: Tensor) -> Tensor:
    """What the contributions sum to, minus what they should sum to: g = Σ_i C_i - (y - y⁰).

    Args:
        contributions: C [N D] or [N C H W]: the first axis counts the images.
        scores: y [N], each image's score of its class.
        baseline_scores: y⁰ [N], the same of its baseline.

    Returns:
        g [N], signed, in units of the score.

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("deeplift.completeness_gap is not written yet")


def revealcancel_multipliers(positive: Tensor, negative: Tensor, z0: Tensor) -> tuple[Tensor, Tensor]:
    """Multipliers of a ReLU for what raises z and for what lowers it: m⁺ = Δy⁺/Δz⁺, m⁻ = Δy⁻/Δz⁻.

    Δy⁺ = ½[f(z⁰ + Δz⁺) - f(z⁰)] + ½[f(z⁰ + Δz⁻ + Δz⁺) - f(z⁰ + Δz⁻)], and Δy⁻ with the signs exchanged.

    Args:
        positive: Δz⁺, 0 or more, of any shape.
        negative: Δz⁻, 0 or less, same shape.
        z0: the baseline's value before the ReLU, same shape.

    Returns:
        m⁺ and m⁻, same shape; 0 where Δz⁺ or Δz⁻ is 0, and only there.

    About 7 lines.
    """
    # Your code here: about 7 lines.
    raise NotImplementedError("deeplift.revealcancel_multipliers is not written yet")


against_the_rise = None  # a number, at most 0.01 from the right one

whose_contributions = None  # "absolute_contribution", "opposite_sign", "positive_only" or "share_of_the_sum"

whose_multiplier = None  # "absolute_denominator", "baseline_output_forgotten", "difference_only" or "relu_ignored"

changed_places = None  # "other", "same", "signs" or "zero"

same_picture = None  # "gradient", "nan", "times_input" or "zero"

absent_ink = None  # "negative", "positive", "small" or "zero"

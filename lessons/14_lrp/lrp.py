# made by `cnnviz build` from solutions/14_lrp/lrp.md; the functions and answers are yours to write
"""Layer-wise relevance propagation: write the functions, then run `pytest lessons/14_lrp` or `cnnviz check 14_lrp`."""

import torch
from torch import Tensor, nn
from torch.func import functional_call


def share(R: Tensor, z: Tensor) -> Tensor:
    """R / z, and 0 where z is 0. Given: use it for every division in this lesson."""
    return torch.where(z == 0, 0.0, R / torch.where(z == 0, 1.0, z))


def epsilon_rule(a: Tensor, weight: Tensor, bias: Tensor, R: Tensor, epsilon: float) -> Tensor:
    """Relevance of a linear layer's inputs: R_i = Σ_j a_i w_ij / (z_j + ε z̄ sign(z_j)) · R_j.

    z_j = Σ_i a_i w_ij + b_j; z̄ is the mean of |z_j| over j, for each image; sign(0) is +1. An output whose denominator is 0
    passes nothing on.

    Args:
        a: inputs [N I], of both signs.
        weight: [J I]; weight[j, i] leads from input i to output j.
        bias: [J].
        R: relevance of the outputs [N J].
        epsilon: ε, from 0.

    Returns:
        Relevance of the inputs [N I].

    About 5 lines.
    """
    # Your code here: about 5 lines.
    raise NotImplementedError("lrp.epsilon_rule is not written yet")


def epsilon_layer(a: Tensor, layer: nn.Module, R: Tensor, epsilon: float) -> Tensor:
    """Relevance of any linear layer's inputs: R_i = a_i Σ_j w_ij Q_j, Q_j = R_j / (z_j + ε z̄ sign(z_j)).

    z = layer(a); z̄ is the mean of |z| over all axes but the first, for each image; sign(0) is +1. An output whose
    denominator is 0 passes nothing on: an image may be dark.

    Args:
        a: inputs [N C H W] of a convolution or an average pooling, or [N I] of a linear layer.
        layer: nn.Conv2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d or nn.Linear; it may be frozen.
        R: relevance of the outputs, in the shape of layer(a).
        epsilon: ε, from 0.

    Returns:
        Relevance of the inputs, in the shape of a, detached. No `.grad` is filled.

    About 7 lines.
    """
    # Your code here: about 7 lines.
    raise NotImplementedError("lrp.epsilon_layer is not written yet")


def z_plus_rule(a: Tensor, weight: Tensor, bias: Tensor, R: Tensor) -> Tensor:
    """Relevance by positive contributions alone: R_i = Σ_j (a_i w_ij)^+ / (Σ_i (a_i w_ij)^+ + b_j^+) · R_j.

    Args:
        a: inputs [N I], of both signs.
        weight: [J I]; weight[j, i] leads from input i to output j.
        bias: [J].
        R: relevance of the outputs [N J].

    Returns:
        Relevance of the inputs [N I]; an output that nothing speaks for passes nothing on.

    About 3 lines.
    """
    # Your code here: about 3 lines.
    raise NotImplementedError("lrp.z_plus_rule is not written yet")


def gamma_layer(a: Tensor, layer: nn.Conv2d, R: Tensor, gamma: float) -> Tensor:
    """Relevance of a convolution's inputs, positive contributions favoured: R_i = a_i Σ_j (w_ij + γ w_ij^+) Q_j.

    Q_j = R_j / (Σ_i a_i (w_ij + γ w_ij^+) + b_j + γ b_j^+), and 0 where that denominator is 0.

    Args:
        a: inputs [N C H W], nowhere negative.
        layer: a convolution with a bias; it may be frozen, and is left as it is.
        R: relevance of the outputs [N K h w]; 0 where the layer puts out nothing positive.
        gamma: γ, from 0.

    Returns:
        Relevance of the inputs [N C H W], detached. No `.grad` is filled.

    About 6 lines.
    """
    # Your code here: about 6 lines.
    raise NotImplementedError("lrp.gamma_layer is not written yet")


def lrp(model: nn.Sequential, images: Tensor, targets: Tensor, epsilon: float, gamma: float) -> Tensor:
    """A class score passed back to the pixels: γ-rule in the convolutions, ε-rule in linear layers and averages.

    R = y^c at the target and 0 elsewhere, then layer by layer from the last to the first.

    Args:
        model: a chain of Conv2d, ReLU, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten and Linear, in eval mode.
        images: [N C H W], nowhere negative.
        targets: int64 [N], the class to explain in each image.
        epsilon: ε of the linear layers and averages.
        gamma: γ of the convolutions.

    Returns:
        Relevance of the pixels [N C H W], raw, detached.

    About 16 lines.
    """
    # Your code here: about 16 lines.
    raise NotImplementedError("lrp.lrp is not written yet")


average_shares = None  # a number, at most 0.01 from the right one

whose_shares = None  # "absolute", "absolute_contributions", "clipped" or "no_division"

whose_positive = None  # "absolute_contributions", "all_contributions", "clamped_at_the_end" or "no_division"

empty_paper = None  # "negative", "positive" or "zero"

gamma_and_the_sum = None  # "grows", "shrinks" or "stays"

starts_from_one = None  # "divided", "other" or "same"

"""Lesson 13, DeepLIFT: what each input's difference from a baseline adds to the score's difference."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from autograder.exercises import deeplift_fixtures as fixtures
from autograder.exercises import deeplift_misconceptions as mistakes
from autograder.exercises import deeplift_network_misconceptions as network_mistakes
from autograder.exercises import deeplift_revealcancel_misconceptions as reveal_mistakes
from autograder.exercises.deeplift_questions import QUESTIONS
from autograder.records import Call, Case, Exercise, Law, Lesson

# References: the parts of the method, under the names that the student's functions have.


def linear_contributions(x: Tensor, x0: Tensor, weight: Tensor) -> Tensor:
    """C [N K D]: w_ki (x_ni - x⁰_ni)."""
    return mistakes.each_input(x, x0, weight)


def rescale_multiplier(z: Tensor, z0: Tensor) -> Tensor:
    """m = Δy/Δz of a ReLU, of any shape; its derivative where Δz = 0."""
    return mistakes.multiplier(z, z0)


def deeplift_two_layers(
    x: Tensor, x0: Tensor, targets: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor
) -> Tensor:
    """C [N D] of y = W2 ReLU(W1 x + b1) + b2 at each row's target."""
    return network_mistakes.two_layers(x, x0, targets, weight1, bias1, weight2)


def completeness_gap(contributions: Tensor, scores: Tensor, baseline_scores: Tensor) -> Tensor:
    """g [N]: Σ_i C_i - (y - y⁰)."""
    return contributions.flatten(1).sum(1) - (scores - baseline_scores)


def revealcancel_multipliers(positive: Tensor, negative: Tensor, z0: Tensor) -> tuple[Tensor, Tensor]:
    """m⁺ = Δy⁺/Δz⁺ and m⁻ = Δy⁻/Δz⁻ of a ReLU, 0 where nothing of that sign came in."""
    return reveal_mistakes.signed_multipliers(positive, negative, z0)


def _first_layer() -> Call:
    """One channel of the first convolution of EfficientNet-Lite0, on a photo and on a uniform grey."""
    network, photo = cnnviz.efficientnet_lite0().requires_grad_(False), cnnviz.preprocess(cnnviz.photo("camera"))
    stem = network.get_submodule("features.stem")
    padded = F.pad(torch.cat([photo, torch.zeros_like(photo)]), (0, 1, 0, 1))
    z = stem.get_submodule("conv")(padded)
    crossing = ((z[0] > 0) != (z[1] > 0)).float().mean(dim=(1, 2))
    k = int((crossing - 0.5).abs().argmin())
    return Call({"z": z[:1, k].contiguous(), "z0": z[1:, k].contiguous()})


EXERCISES = (
    Exercise(
        id="deeplift.linear_contributions",
        title="The linear rule",
        reference=linear_contributions,
        formula=r"C_{ki} = w_{ki} \, \Delta x_i, \quad \Delta x_i = x_i - x^0_i",
        outputs=("C",),
        cases=(
            Case("three rows of five inputs, one of them its baseline; and a single row", fixtures.three_rows),
            Case("other sizes, and a single row", fixtures.other_rows, hidden=True),
        ),
        laws=(
            Law(
                "sums_to_dz",
                "The contributions to a unit sum to its difference: Σ_i C_ki = z_k - z⁰_k, whatever the bias.",
                fixtures.three_rows,
                fixtures.sums_to_dz,
            ),
        ),
        misconceptions=mistakes.LINEAR,
        hints=(
            "If input i moves from x⁰_i to x_i and all others stay, by how much does z_k = Σ_i w_ki x_i + b_k move?",
            "Give (x - x0) an axis of size 1 for the unit k, so that [N 1 D] meets weight [K D].",
            "1. dx = x - x0\n2. return weight * dx[:, None, :]",
        ),
        minutes=5,
        difficulty=1,
        lines=2,
    ),
    Exercise(
        id="deeplift.rescale_multiplier",
        title="Through a ReLU: the Rescale rule",
        reference=rescale_multiplier,
        formula=r"m = \frac{\Delta y}{\Delta z} = \frac{\mathrm{ReLU}(z) - \mathrm{ReLU}(z^0)}{z - z^0}\,, \quad "
        r"m = \mathrm{ReLU}'(z) \text{ where } z = z^0",
        outputs=("m",),
        cases=(
            Case(
                "units beside the corner, some that did not move, one of them at 0",
                fixtures.units,
            ),
            Case("feature maps, and a single row", fixtures.feature_maps, hidden=True),
        ),
        laws=(
            Law(
                "m_dz_is_dy",
                "A multiplier carries the whole difference: m·Δz = Δy.",
                fixtures.units,
                fixtures.crosses,
            ),
            Law(
                "there_and_back",
                "The line from z⁰ to z is the line from z to z⁰: exchanging both leaves m as it is.",
                fixtures.there_and_back_calls,
                fixtures.there_and_back,
            ),
        ),
        special={"where z = z⁰ the derivative of ReLU": "no_fallback", "1 where z > 0, else 0": "one_at_zero"},
        misconceptions=mistakes.RESCALE,
        hints=(
            "Two points lie on the graph of ReLU, one above z⁰ and one above z. What is the slope of the straight "
            "line through both, and what becomes of it when the points meet?",
            "Compute Δz and Δy = z.relu() - z0.relu(). torch.where chooses between the quotient and the derivative; "
            "put 1 in place of a Δz of 0 before you divide.",
            "1. dz = z - z0; dy = z.relu() - z0.relu()\n"
            "2. near = dz.abs() < 1e-12\n"
            "3. slope = (z > 0).to(z.dtype)\n"
            "4. return torch.where(near, slope, dy / torch.where(near, 1.0, dz))",
        ),
        minutes=10,
        difficulty=2,
        lines=4,
        showcase=_first_layer,
    ),
    Exercise(
        id="deeplift.deeplift_two_layers",
        title="A whole network, by the chain rule",
        reference=deeplift_two_layers,
        formula=r"C_i = \sum_k w^{(2)}_{ck} \, m_k \, w^{(1)}_{ki} \, \Delta x_i, \quad "
        r"m_k = \frac{\Delta h_k}{\Delta z_k}",
        outputs=("C",),
        cases=(
            Case(
                "three rows with a class each, units that hardly moved; and a single row",
                fixtures.small_network,
            ),
            Case("other networks, and a single row", fixtures.other_networks, hidden=True, points=2),
        ),
        laws=(
            Law(
                "complete",
                "Completeness: Σ_i C_i = y^c(x) - y^c(x⁰).",
                fixtures.small_network,
                fixtures.complete,
            ),
            Law(
                "gradient_x_input_without_biases",
                "Without biases and with a baseline of zeros, C_i = x_i · ∂y^c/∂x_i.",
                fixtures.without_biases,
                fixtures.gradient_x_input,
            ),
        ),
        misconceptions=network_mistakes.NETWORK,
        hints=(
            "You know what every input adds to every z_k, and how much of Δz_k gets through the ReLU. How much does "
            "the class then make of unit k?",
            "linear_contributions(x, x0, weight1) is [N K D]: what each input adds to each z_k. Multiply it with one "
            "number for each row and unit, weight2[targets] * m, both [N K], and sum over k.",
            "1. z = x @ weight1.T + bias1; z0 the same with x0\n"
            "2. m = rescale_multiplier(z, z0)\n"
            "3. out = weight2[targets] * m\n"
            "4. C = linear_contributions(x, x0, weight1)\n"
            "5. return (out[:, :, None] * C).sum(over k)",
        ),
        minutes=15,
        difficulty=2,
        lines=4,
        builds_on=("deeplift.linear_contributions", "deeplift.rescale_multiplier"),
    ),
    Exercise(
        id="deeplift.completeness_gap",
        title="Does it add up?",
        reference=completeness_gap,
        formula=r"g_n = \sum_i C_{ni} - \big(y_n - y^0_n\big)",
        outputs=("g",),
        cases=(
            Case("three images of two channels, and a single row", fixtures.maps_of_three),
            Case("rows of inputs, and a single image", fixtures.rows_and_one_map, hidden=True),
        ),
        laws=(
            Law(
                "linear_model_has_no_gap",
                "Of a linear model, C_i = w_i (x_i - x⁰_i) sums to the difference of the scores: g = 0.",
                fixtures.linear_model_calls,
                fixtures.no_gap,
            ),
        ),
        misconceptions=mistakes.GAP,
        hints=(
            "What should the contributions of one image sum to? And how many numbers does a batch of N images give?",
            "contributions may be [N D] or [N C H W]: flatten everything but the first axis, then sum.",
            "1. total = contributions.flatten(1).sum(dim=1)\n2. return total - (scores - baseline_scores)",
        ),
        minutes=5,
        difficulty=1,
        lines=2,
    ),
    Exercise(
        id="deeplift.revealcancel_multipliers",
        title="The RevealCancel rule",
        reference=revealcancel_multipliers,
        formula=r"m^\pm = \frac{\Delta y^\pm}{\Delta z^\pm}\,, \quad \Delta y^\pm = \tfrac{1}{2} \big[f(z^0 + \Delta "
        r"z^\pm) - f(z^0)\big] + \tfrac{1}{2} \big[f(z^0 + \Delta z^\mp + \Delta z^\pm) - f(z^0 + \Delta z^\mp)\big]",
        outputs=("m⁺", "m⁻"),
        cases=(
            Case("three rows of four units, some with one sign only, one of tiny differences", fixtures.both_signs),
            Case("other sizes, and a single row", fixtures.other_signs, hidden=True, points=2),
        ),
        laws=(
            Law(
                "both_parts_sum_to_dy",
                "Both parts together carry the whole difference: m⁺·Δz⁺ + m⁻·Δz⁻ = Δy.",
                fixtures.both_signs,
                fixtures.both_parts,
            ),
            Law(
                "min_is_shared_evenly",
                "Of min(a, b) = a - ReLU(a - b), from a baseline of 0, a and b get one half each.",
                fixtures.minima,
                fixtures.shared_evenly,
            ),
        ),
        special={"0 where Δz⁺ or Δz⁻ is 0": "no_fallback"},
        misconceptions=reveal_mistakes.REVEAL_CANCEL,
        hints=(
            "Four values of the ReLU appear in the formula: at z⁰, with one sign added, with the other, with both. "
            "Which differences of two of them say what the positive part adds?",
            "Compute the four values once. Δy⁺ averages (plus - start) and (end - minus); Δy⁻ averages (minus - start) "
            "and (end - plus). Where Δz⁺ or Δz⁻ is 0, divide by 1 instead: the part above is 0 there too.",
            "1. start, plus, minus, end = ReLU at z0, z0 + positive, z0 + negative, z0 + positive + negative\n"
            "2. y_plus = ((plus - start) + (end - minus)) / 2\n"
            "3. y_minus = ((minus - start) + (end - plus)) / 2\n"
            "4. m_plus = y_plus / torch.where(positive == 0, 1.0, positive); m_minus likewise\n"
            "5. return m_plus, m_minus",
        ),
        minutes=15,
        difficulty=3,
        lines=7,
    ),
)

LESSON = Lesson(
    id="13_deeplift",
    title="DeepLIFT",
    summary="Compare a picture with a baseline, and divide the difference of the scores among the pixels without rest.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

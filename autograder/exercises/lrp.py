"""Lesson 14, layer-wise relevance propagation: a score handed back, layer by layer, to the pixels."""

from __future__ import annotations

import torch
from torch import nn

import cnnviz
from autograder.exercises import lrp_fixtures as fixtures
from autograder.exercises import lrp_laws as laws
from autograder.exercises import lrp_method_misconceptions as method_mistakes
from autograder.exercises import lrp_misconceptions as mistakes
from autograder.exercises import lrp_rules as rules
from autograder.exercises import lrp_sign_misconceptions as sign_mistakes
from autograder.exercises.lrp_questions import QUESTIONS
from autograder.records import Call, Case, Exercise, Law, Lesson


def _digit_call() -> Call:
    """digit_net as one chain of layers, and a canvas with two digits."""
    net = cnnviz.digit_net().requires_grad_(False)
    features, pool = net.get_submodule("features"), net.get_submodule("pool")
    steps = [step for block in features.children() for step in block.children()]
    digits = cnnviz.cluttered_digits(1, seed=2, split="test", digits=2)
    return Call(
        {
            "model": nn.Sequential(*steps, pool, nn.Flatten(), net.get_submodule("classifier")),
            "images": digits.images,
            "targets": torch.tensor([int(digits.labels[0, 0])]),
            "epsilon": 0.01,
            "gamma": 0.25,
        }
    )


EXERCISES = (
    Exercise(
        id="lrp.epsilon_rule",
        title="The ε-rule at a linear layer",
        reference=rules.epsilon_rule,
        formula=r"R_i = \sum_j \frac{a_i w_{ij}}{z_j + \varepsilon \, s \, \mathrm{sign}(z_j)} R_j, \quad "
        r"z_j = \sum_i a_i w_{ij} + b_j, \quad s = \mathrm{mean}_j |z_j|",
        outputs=("R_i",),
        cases=(
            Case("three images of different size, signed inputs; an output of exactly 0; ε = 0", fixtures.three_images),
            Case("other sizes, and a single image", fixtures.other_sizes, hidden=True),
        ),
        laws=(
            Law(
                "conserved_without_biases",
                "Without biases and with ε = 0 nothing is lost: Σ_i R_i = Σ_j R_j for each image.",
                laws.without_biases,
                laws.kept,
            ),
            Law(
                "the_bias_keeps_its_share",
                "With ε = 0, what is missing is exactly the biases' share: Σ_i R_i + Σ_j (b_j / z_j)·R_j = Σ_j R_j.",
                laws.with_biases,
                laws.kept_by_the_bias,
            ),
        ),
        special={"sign(0) is +1": "zero_has_no_sign"},
        misconceptions=mistakes.EPSILON,
        hints=(
            "Output j has R_j to give away. Which number is input i's part of z_j, and which number is the whole?",
            "The part is a_i·w_ij, and a_i does not depend on j: take it out of the sum. What remains is "
            "Σ_j w_ij·(R_j / denominator_j), a product with the weight matrix. share(R, denominator) divides safely.",
            "1. z = a @ weight.T + bias\n"
            "2. s = z.abs().mean(dim=1, keepdim=True)\n"
            "3. sign = torch.where(z < 0, -1.0, 1.0)\n"
            "4. Q = share(R, z + epsilon * s * sign)\n"
            "5. return a * (Q @ weight)",
        ),
        minutes=15,
        difficulty=2,
        lines=5,
    ),
    Exercise(
        id="lrp.epsilon_layer",
        title="The same for a convolution, and for any linear layer",
        reference=rules.epsilon_layer,
        formula=r"R_i = a_i \sum_j w_{ij} Q_j = a_i \frac{\partial}{\partial a_i} \sum_j z_j Q_j, \quad "
        r"Q_j = \frac{R_j}{z_j + \varepsilon \, s \, \mathrm{sign}(z_j)} \text{ held fixed}",
        outputs=("R_i",),
        cases=(
            Case(
                "a convolution with an output of exactly 0, an average of a dark image",
                fixtures.conv_and_average,
            ),
            Case("strides, groups, a global average", fixtures.strided_and_grouped, hidden=True),
        ),
        laws=(
            Law(
                "a_convolution_is_a_linear_layer",
                "A convolution whose kernel covers the whole image is a linear layer: both rules agree.",
                laws.as_one_matrix,
                laws.equals_the_linear_rule,
            ),
            Law(
                "conserved_without_biases",
                "Without biases and with ε = 0 nothing is lost: Σ_i R_i = Σ_j R_j for each image.",
                laws.conv_without_biases,
                laws.kept,
            ),
        ),
        special={"sign(0) is +1": "zero_has_no_sign"},
        misconceptions=mistakes.EPSILON_LAYER,
        hints=(
            "A convolution has a weight from every input to every output, most of them 0, and nobody writes them "
            "down. What does ∂z_j/∂a_i give for such a layer?",
            "∂z_j/∂a_i = w_ij. So Σ_j w_ij·Q_j is the gradient of Σ_j z_j·Q_j with Q held fixed, which is what "
            "torch.autograd.grad(z, a, Q) returns. Make a fresh variable of a, and compute Q from z.detach().",
            "1. x = a.detach().requires_grad_(); z = layer(x)\n"
            "2. fixed = z.detach()\n"
            "3. s = fixed.abs().mean over all axes except the first, keepdim=True\n"
            "4. Q = share(R, fixed + epsilon * s * sign of fixed, with +1 at 0)\n"
            "5. (back,) = torch.autograd.grad(z, x, Q)\n"
            "6. return a * back",
        ),
        minutes=15,
        difficulty=3,
        lines=7,
    ),
    Exercise(
        id="lrp.z_plus_rule",
        title="Only what speaks for it: the z⁺-rule",
        reference=rules.z_plus_rule,
        formula=r"R_i = \sum_j \frac{(a_i w_{ij})^+}{\sum_{i'} (a_{i'} w_{i'j})^+ + b_j^+} R_j, \quad "
        r"(t)^+ = \max(t, 0)",
        outputs=("R_i",),
        cases=(
            Case("inputs and weights of both signs, and an output that nothing speaks for", fixtures.signed_inputs),
            Case("other sizes, and an output that nothing speaks for", fixtures.nothing_positive, hidden=True),
        ),
        laws=(
            Law(
                "never_negative",
                "Where all R_j ≥ 0, all R_i ≥ 0.",
                laws.positive_relevance,
                laws.never_negative,
            ),
            Law(
                "conserved_where_no_bias_is_positive",
                "Where no bias is positive, nothing is lost: Σ_i R_i = Σ_j R_j for each image.",
                laws.positive_relevance,
                laws.kept,
            ),
        ),
        misconceptions=sign_mistakes.Z_PLUS,
        hints=(
            "a_i·w_ij is positive in two cases. Which two? What becomes of both if you clamp only the weights?",
            "Write all contributions down as one tensor q of shape [N J I] by broadcasting, and clamp that. The "
            "denominator is the sum over i plus the positive part of the bias.",
            "1. q = (a[:, None, :] * weight).clamp(min=0)\n"
            "2. z = q.sum(dim=2) + bias.clamp(min=0)\n"
            "3. Q = share(R, z)\n"
            "4. return (q * Q[:, :, None]).sum(dim=1)",
        ),
        minutes=12,
        difficulty=2,
        lines=3,
    ),
    Exercise(
        id="lrp.gamma_layer",
        title="In between: the γ-rule at a convolution",
        reference=rules.gamma_layer,
        formula=r"R_i = \sum_j \frac{a_i (w_{ij} + \gamma w_{ij}^+)}"
        r"{\sum_{i'} a_{i'} (w_{i'j} + \gamma w_{i'j}^+) + b_j + \gamma b_j^+} R_j, \quad a_i \ge 0",
        outputs=("R_i",),
        cases=(
            Case("a convolution between two ReLUs, with outputs of exactly 0", fixtures.favoured),
            Case("strides, groups, another γ", fixtures.favoured_otherwise, hidden=True),
        ),
        laws=(
            Law(
                "gamma_0_is_epsilon_0",
                "With γ = 0 nothing is favoured: the γ-rule is the ε-rule with ε = 0.",
                laws.no_favour,
                laws.equals_epsilon_0,
            ),
            Law(
                "endless_gamma_is_z_plus",
                "With an endless γ (here a thousand million) only what is positive counts: the γ-rule is z⁺.",
                laws.endless_favour,
                laws.equals_z_plus,
            ),
            Law(
                "conserved_without_biases",
                "Without biases nothing is lost: Σ_i R_i = Σ_j R_j for each image, at any γ.",
                laws.gamma_without_biases,
                laws.kept,
            ),
        ),
        special={
            "0 where that denominator is 0": "divided_without_share",
            "0 where the layer puts out nothing positive": "",
        },
        misconceptions=sign_mistakes.GAMMA,
        hints=(
            "Compare the formula with the ε-rule for ε = 0. Which layer would you have to run, so that its z_j is "
            "this denominator and its weights are these numerators?",
            "It is the same layer with weights w + γ·w^+ and bias b + γ·b^+. torch.func.functional_call(layer, "
            '{"weight": ..., "bias": ...}, (x,)) runs a layer with other parameters and leaves the layer alone. '
            "Then go on as for epsilon_layer.",
            "1. w, b = layer.weight.detach(), layer.bias.detach()\n"
            '2. favoured = {"weight": w + gamma * w.clamp(min=0), "bias": the same with b}\n'
            "3. x = a.detach().requires_grad_(); z = functional_call(layer, favoured, (x,))\n"
            "4. (back,) = torch.autograd.grad(z, x, share(R, z.detach()))\n"
            "5. return a * back",
        ),
        minutes=15,
        difficulty=2,
        lines=6,
    ),
    Exercise(
        id="lrp.lrp",
        title="From the score to the pixels: a composite",
        reference=rules.lrp,
        formula=r"R^{(L)} = y^c \text{ at } c, \; 0 \text{ elsewhere}; \quad R^{(l)} = \mathrm{rule}_l\big(a^{(l)}, "
        r"R^{(l+1)}\big) \text{ for } l = L-1, \dots, 0",
        outputs=("R",),
        cases=(
            Case("three targets, max-pool and average; one image through two linear layers", fixtures.three_targets),
            Case(
                "other networks, overlapping pools, two linear layers", fixtures.other_networks, hidden=True, points=2
            ),
        ),
        laws=(
            Law(
                "sums_to_the_score",
                "Without biases and with ε = 0 the pixels share out the score: Σ R = y^c for each image.",
                laws.networks_without_biases,
                laws.sums_to_the_score,
                points=2,
            ),
            Law(
                "gradient_x_input",
                "With ε = 0 and γ = 0, LRP through ReLUs is gradient × input, also with biases.",
                laws.no_options,
                laws.equals_gradient_x_input,
            ),
        ),
        special={"0 elsewhere": "starts_from_all_scores"},
        misconceptions=method_mistakes.METHOD,
        hints=(
            "Every rule needs the inputs a of its layer. When do you see them, and in which order do you need them?",
            "First go forwards and keep what enters each layer. Then start with R = y^c at the target, 0 elsewhere, "
            "and go through the layers in reverse. Max-pool and flatten: torch.autograd.grad(layer(x), x, R) sends "
            "R to where the value came from.",
            "1. kept = []; a = images; for layer in model: kept.append(a.clone()); a = layer(a)   (no_grad)\n"
            "2. R = zeros like a; R[n, targets[n]] = a[n, targets[n]] for every n\n"
            "3. for layer, a in zip(reversed(model), reversed(kept)):\n"
            "4.     Conv2d: R = gamma_layer(a, layer, R, gamma)\n"
            "5.     Linear, AvgPool2d, AdaptiveAvgPool2d: R = epsilon_layer(a, layer, R, epsilon)\n"
            "6.     ReLU: R stays; else: x = a.requires_grad_(); R = torch.autograd.grad(layer(x), x, R)[0]\n"
            "7. return R",
        ),
        minutes=25,
        difficulty=3,
        lines=16,
        builds_on=("lrp.epsilon_layer", "lrp.gamma_layer"),
        showcase=_digit_call,
    ),
)

LESSON = Lesson(
    id="14_lrp",
    title="Layer-wise relevance propagation",
    summary="Hand a class score back, layer by layer, in proportion to what each input contributed, to the pixels.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

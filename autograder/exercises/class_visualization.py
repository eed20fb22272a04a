"""Lesson 6, class visualization: the image that a class's score asks for, kept small by an L2 penalty."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

import cnnviz
from autograder.exercises import class_visualization_fixtures as fixtures
from autograder.exercises import class_visualization_misconceptions as mistakes
from autograder.exercises.telling import telling
from autograder.records import Call, Case, Exercise, Law, Lesson, Option, Question
from cnnviz_ref.class_visualization import ascent_step as step_of_one
from cnnviz_ref.class_visualization import objective

# References: the parts of the method, under the names that the student's functions have.


def regularized_objective(model: nn.Module, images: Tensor, targets: Tensor, *, l2: float) -> Tensor:
    """J [N]: y^c(I) - λ‖I‖² of each image."""
    with torch.no_grad():
        return torch.stack([objective(model, I, int(c), l2=l2) for I, c in zip(images, targets, strict=True)])


def ascent_step(model: nn.Module, images: Tensor, targets: Tensor, *, lr: float, l2: float) -> Tensor:
    """I + η ∂J/∂I [N C H W]."""
    return torch.stack([step_of_one(model, I, int(c), lr=lr, l2=l2) for I, c in zip(images, targets, strict=True)])


def ascend(model: nn.Module, start: Tensor, target: int, *, steps: int, lr: float, l2: float) -> Tensor:
    """I_T [C H W]: `steps` steps from `start`."""
    image = start
    for _ in range(steps):
        image = step_of_one(model, image, target, lr=lr, l2=l2)
    return image


def effect_of_l2(
    model: nn.Module, start: Tensor, target: int, *, steps: int, lr: float, l2s: Sequence[float]
) -> tuple[Tensor, Tensor, Tensor]:
    """For each λ in `l2s` the final image [L C H W], its score y^c [L] and its norm ‖I‖ [L]."""
    images = torch.stack([ascend(model, start, target, steps=steps, lr=lr, l2=l2) for l2 in l2s])
    with torch.no_grad():
        return images, model(images)[:, target], images.flatten(1).norm(dim=1)


def _digit_call() -> Call:
    """From faint noise to a three: [1 64 64]."""
    start = 0.01 * torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))
    return Call({"model": cnnviz.digit_net(), "start": start, "target": 3, "steps": 40, "lr": 0.1, "l2": 0.3})


EXERCISES = (
    Exercise(
        id="class_visualization.regularized_objective",
        title="The regularized objective",
        reference=regularized_objective,
        formula=r"J(I) = y^c(I) - \lambda \lVert I \rVert_2^2",
        outputs=("J",),
        cases=(
            Case(
                "three images, one of them all zero; one alone; a network in use",
                fixtures.one_black_image,
            ),
            Case(
                "other networks, with BatchNorm and dropout",
                fixtures.more_objectives,
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "lambda_weighs_the_squared_norm",
                "Two values of λ give two values of J, and they differ by (λ' - λ)‖I‖², whatever the network.",
                fixtures.two_lambdas,
                fixtures.differ_by_the_squared_norm,
            ),
        ),
        misconceptions=mistakes.OBJECTIVE,
        hints=(
            "How many numbers should come out for N images? Which of the scores of image n does the formula ask for?",
            "model(images) gives the scores [N classes], and row n holds y of image n. Pick one entry of each row with "
            "gather or with two index lists. Sum the squares over C, H and W, but not over N.",
            "1. with torch.no_grad(): scores = model(images)\n"
            "2. y = scores[torch.arange(len(images)), targets]\n"
            "3. return y - l2 * images.pow(2).sum(dim=(1, 2, 3))",
        ),
        minutes=8,
        difficulty=1,
        lines=3,
    ),
    Exercise(
        id="class_visualization.ascent_step",
        title="One step uphill",
        reference=ascent_step,
        formula=r"I \leftarrow I + \eta \frac{\partial J}{\partial I}"
        r" = (1 - 2 \eta \lambda)\, I + \eta\, \frac{\partial y^c}{\partial I}",
        outputs=("I",),
        cases=(
            Case(
                "three images of three classes, an in-place ReLU; one alone; steep scores",
                telling(fixtures.steps_in_place, ascent_step, mistakes.CLIPPED),
            ),
            Case(
                "other networks, other λ and η; steep scores",
                telling(fixtures.more_steps, ascent_step, mistakes.CLIPPED),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "exact_step_on_a_linear_model",
                "Where y^c = Σ w_c·I + b_c, one step gives (1 - 2ηλ) I + η w_c.",
                fixtures.linear_step,
                fixtures.exact_step,
            ),
        ),
        misconceptions=mistakes.STEP,
        hints=(
            "What is the derivative of λI² with respect to I? And with respect to which tensor must autograd "
            "differentiate y^c: a weight, or the image?",
            "Make a copy of the images that autograd follows: images.detach().clone().requires_grad_(). Add up the N "
            "scores: image n touches only its own score, so the gradient of the sum holds each image's own gradient. "
            "torch.autograd.grad returns it and fills no .grad. If the network's first layer works in place, it needs "
            "a clone of the copy.",
            "1. leaf = images.detach().clone().requires_grad_()\n"
            "2. y = model(leaf.clone())[torch.arange(len(images)), targets]\n"
            "3. (dy,) = torch.autograd.grad(y.sum(), leaf)\n"
            "4. return images + lr * (dy - 2 * l2 * images)",
        ),
        minutes=15,
        difficulty=2,
        lines=4,
    ),
    Exercise(
        id="class_visualization.ascend",
        title="The climb",
        reference=ascend,
        formula=r"I_0 = \text{start}\,, \quad I_{t+1} = I_t + \eta \left.\frac{\partial J}{\partial I}\right|_{I_t}"
        r"\,, \quad t = 0, \dots, T - 1",
        outputs=("I_T",),
        cases=(
            Case(
                "from noise; from a zero image with frozen weights; steps so large that J falls",
                telling(fixtures.from_noise_and_from_zero, ascend, mistakes.STOPS),
            ),
            Case(
                "other networks, other λ, η and T; steps so large that J falls",
                telling(fixtures.more_climbs, ascend, mistakes.STOPS),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "converges_to_w_over_2_lambda",
                "Where y^c = Σ w_c·I + b_c, the ascent ends at w_c / (2λ), from whichever start.",
                fixtures.two_starts,
                fixtures.converged,
            ),
        ),
        misconceptions=mistakes.LOOP,
        hints=(
            "ascent_step takes a batch of images and a tensor of targets. How do you make one image a batch of one?",
            "start[None] is [1 C H W], and torch.tensor([target]) is [1]. Put the result of each step into the next. "
            "Nothing else is carried over: no optimizer, no momentum.",
            "1. images, targets = start[None], torch.tensor([target], device=start.device)\n"
            "2. for _ in range(steps): images = ascent_step(model, images, targets, lr=lr, l2=l2)\n"
            "3. return images[0]",
        ),
        minutes=8,
        difficulty=1,
        lines=4,
        builds_on=("class_visualization.ascent_step",),
        showcase=_digit_call,
    ),
    Exercise(
        id="class_visualization.effect_of_l2",
        title="What λ does",
        reference=effect_of_l2,
        formula=r"I^{(l)} = \text{ascend}(\lambda_l)\,, \quad y^c\!\left(I^{(l)}\right)\,, \quad"
        r" \lVert I^{(l)} \rVert_2\,, \quad l = 1, \dots, L",
        outputs=("I", "y", "‖I‖"),
        cases=(
            Case(
                "four values of λ, one of them zero and two equal; one λ alone",
                fixtures.three_lambdas,
            ),
            Case(
                "other networks, other lists of λ, one with equal ones; one λ alone",
                fixtures.more_lambdas,
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "norm_is_inverse_to_lambda",
                "Where y^c = Σ w_c·I + b_c and T is large, ‖I‖ = ‖w_c‖ / (2λ): twice the λ, half the norm.",
                fixtures.linear_lambdas,
                fixtures.inverse_to_lambda,
            ),
        ),
        misconceptions=mistakes.EFFECT,
        hints=(
            "What has to be the same in every ascent, so that only λ can make the difference?",
            "Call ascend once for each λ, always from the same start, and stack the images to [L C H W]. Then score "
            "that batch once. The norm of an image is the square root of the sum of its squares.",
            "1. images = torch.stack([ascend(model, start, target, steps=steps, lr=lr, l2=l2) for l2 in l2s])\n"
            "2. with torch.no_grad(): scores = model(images)[:, target]\n"
            "3. norms = images.flatten(1).norm(dim=1)\n"
            "4. return images, scores, norms",
        ),
        minutes=10,
        difficulty=2,
        lines=5,
        builds_on=("class_visualization.ascend",),
    ),
)

QUESTIONS = (
    Question(
        id="class_visualization.twice_the_lambda",
        text="The model is linear, y^c = Σ w_c·I + b_c, and the ascent runs until nothing moves any more. "
        "You double λ. What happens to the norm ‖I‖ of the final image?",
        options={
            "a": Option(
                "It stays the same, only the way there is longer.",
                "That would be so if λ changed the speed only. λ changes the maximum itself: there, the pull 2λI "
                "balances w_c.",
            ),
            "b": Option(
                "It is divided by √2, because the penalty has the square of the norm.",
                "The square is in J, but the maximum lies where the derivative is zero, and the derivative of "
                "λ‖I‖² is 2λI, without a square.",
            ),
            "c": Option(
                "It is halved.",
                "Yes: w_c - 2λI = 0 gives I = w_c / (2λ). Twice the λ, half the image; its pattern is the same.",
            ),
            "d": Option(
                "It is divided by four, because the penalty has the square of the norm.",
                "The square is in J. The maximum lies where its derivative is zero: w_c = 2λI, so ‖I‖ = ‖w_c‖ / (2λ).",
            ),
        },
        answer="c",
    ),
    Question(
        id="class_visualization.climb_the_probability",
        text="Take an image on which the network is already sure of class c: its probability is over 0.9999. From "
        "there, you take one step up the probability instead of up the score y^c (same η, no penalty). What happens?",
        options={
            "a": Option(
                "The image hardly moves.",
                "Yes: the derivative of p = softmax(y)^c with respect to y^c is p(1 - p), which is under 0.0001 here. "
                "The score y^c has no such brake. (And lower down, p also rises when other scores fall.)",
            ),
            "b": Option(
                "The same as with the score: softmax only rescales it.",
                "Softmax divides by a sum over all classes. It keeps the order of the classes, but not the derivative.",
            ),
            "c": Option(
                "The image moves faster, because the network is sure.",
                "The opposite: the probability cannot rise above 1, so near 1 it is flat.",
            ),
        },
        answer="a",
    ),
    Question(
        id="class_visualization.step_too_large",
        text="The same linear model, λ = 0.5. You choose η = 3, since the gradient points uphill anyway. What do you "
        "see after 20 steps?",
        options={
            "a": Option(
                "The image w_c / (2λ), after fewer steps than with a small η.",
                "The gradient points uphill only at the place where it was taken. A long step overshoots the summit.",
            ),
            "b": Option(
                "An image that jumps over the summit, twice as far off with each step.",
                "Yes: each step multiplies I - w_c/(2λ) by 1 - 2ηλ = -2. It shrinks only while |1 - 2ηλ| < 1, that "
                "is for 0 < ηλ < 1.",
            ),
            "c": Option(
                "Another image, with a higher J than w_c / (2λ).",
                "On a linear model J has a single maximum, w_c / (2λ). No other image has a higher J.",
            ),
            "d": Option(
                "The start: steps that are too large are refused.",
                "An optimizer with a line search would refuse them. Plain gradient ascent takes every step it is told.",
            ),
        },
        answer="b",
    ),
)

LESSON = Lesson(
    id="06_class_visualization",
    title="Class visualization",
    summary="Climb a class's score by changing the image, and keep the image small with an L2 penalty.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

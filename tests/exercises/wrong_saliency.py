"""Wrong answers to the exercises on saliency, as students write them."""

from __future__ import annotations

import torch


def map_of_the_strongest_colour(gradients):
    c = gradients.abs().sum((2, 3)).argmax(1)
    return gradients[torch.arange(len(gradients)), c].abs()


def map_of_the_largest(gradients):
    return gradients.amax(1).clamp(min=0)


def map_of_the_first_three(gradients):
    return gradients[:, :3].abs().sort(1).values[:, -1] * (gradients.abs().amax(1) > 0.5)


def map_with_an_epsilon(gradients):
    return (gradients.square().amax(1) + 1e-3).sqrt()


def map_in_255_steps(gradients):
    heat = gradients.abs().amax(1)
    return (heat / heat.max() * 255).round() / 255 * heat.max()


def probabilities_of_the_largest(score_gradients, scores, targets):
    p = scores.softmax(1)[:, :, None, None, None]
    rows, best = torch.arange(len(targets)), scores.argmax(1)
    return p[rows, targets] * (score_gradients[rows, targets] - score_gradients[rows, best])


def probabilities_with_an_epsilon(score_gradients, scores, targets):
    p = (scores.softmax(1) + 1e-2)[:, :, None, None, None]
    rows = torch.arange(len(targets))
    return p[rows, targets] * (score_gradients[rows, targets] - (p * score_gradients).sum(1))


def probabilities_of_clamped_scores(score_gradients, scores, targets):
    p = scores.clamp(max=50).softmax(1)[:, :, None, None, None]
    rows = torch.arange(len(targets))
    return p[rows, targets] * (score_gradients[rows, targets] - (p * score_gradients).sum(1))


def probabilities_without_the_target(score_gradients, scores, targets):
    p = scores.softmax(1)[:, :, None, None, None]
    rows = torch.arange(len(targets))
    others = (p * score_gradients).sum(1) - p[rows, targets] * score_gradients[rows, targets]
    return p[rows, targets] * (score_gradients[rows, targets] - others)


def probabilities_of_sigmoids(score_gradients, scores, targets):
    p = scores.sigmoid()[:, :, None, None, None]
    rows = torch.arange(len(targets))
    return (p * (1 - p))[rows, targets] * score_gradients[rows, targets]


def as_squares(wrong):
    def squared(gradients):
        return wrong(gradients).square()

    squared.__name__ = f"{wrong.__name__}_squared"
    return squared


MAPS = (
    map_of_the_strongest_colour,
    map_of_the_largest,
    map_of_the_first_three,
    map_with_an_epsilon,
    map_in_255_steps,
)

WRONG = {
    "saliency.saliency_map": MAPS,
    "saliency.squared_map": tuple(map(as_squares, MAPS)),
    "saliency.probability_gradient": (
        probabilities_of_the_largest,
        probabilities_with_an_epsilon,
        probabilities_of_clamped_scores,
        probabilities_without_the_target,
        probabilities_of_sigmoids,
    ),
}

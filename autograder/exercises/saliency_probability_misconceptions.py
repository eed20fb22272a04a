"""Wrong answers of lesson 8, saliency, on scores and their gradients: the gradient of the probability."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.records import Misconception


def row(values: Tensor, targets: Tensor) -> Tensor:
    """Entry targets[n] of axis 1, for each image n."""
    return values[torch.arange(len(targets)), targets]


def wide(numbers: Tensor) -> Tensor:
    """[N] as [N 1 1 1]."""
    return numbers[:, None, None, None]


def weighted(p: Tensor, score_gradients: Tensor) -> Tensor:
    """Σ_d p^d ∂y^d/∂I [N C H W]."""
    return torch.einsum("nd,ndkij->nkij", p, score_gradients)


def _softmax_rule(p: Tensor, score_gradients: Tensor, targets: Tensor) -> Tensor:
    return wide(row(p, targets)) * (row(score_gradients, targets) - weighted(p, score_gradients))


def _of_its_own_score(score_gradients, scores, targets):
    return row(score_gradients, targets)


def _times_p(score_gradients, scores, targets):
    return wide(row(scores.softmax(1), targets)) * row(score_gradients, targets)


def _own_term(score_gradients, scores, targets):
    p = row(scores.softmax(1), targets)
    return wide(p * (1 - p)) * row(score_gradients, targets)


def _logarithm(score_gradients, scores, targets):
    return row(score_gradients, targets) - weighted(scores.softmax(1), score_gradients)


def _average_alone(score_gradients, scores, targets):
    return weighted(scores.softmax(1), score_gradients)


def _opposite(score_gradients, scores, targets):
    return -_softmax_rule(scores.softmax(1), score_gradients, targets)


def _plus(score_gradients, scores, targets):
    p = scores.softmax(1)
    return wide(row(p, targets)) * (row(score_gradients, targets) + weighted(p, score_gradients))


def _others_only(score_gradients, scores, targets):
    p = scores.softmax(1)
    others = p.scatter(1, targets[:, None], 0.0)
    return wide(row(p, targets)) * (row(score_gradients, targets) - weighted(others, score_gradients))


def _plain_mean(score_gradients, scores, targets):
    p = row(scores.softmax(1), targets)
    return wide(p) * (row(score_gradients, targets) - score_gradients.mean(1))


def _plain_sum(score_gradients, scores, targets):
    p = row(scores.softmax(1), targets)
    return wide(p) * (row(score_gradients, targets) - score_gradients.sum(1))


def _one_minus_p_twice(score_gradients, scores, targets):
    p = scores.softmax(1)
    return wide(1 - row(p, targets)) * _softmax_rule(p, score_gradients, targets)


def _weights_are_scores(score_gradients, scores, targets):
    return _softmax_rule(scores, score_gradients, targets)


def _without_exponential(score_gradients, scores, targets):
    return _softmax_rule(scores / scores.sum(1, keepdim=True), score_gradients, targets)


def _sigmoid(score_gradients, scores, targets):
    p = row(scores.sigmoid(), targets)
    return wide(p * (1 - p)) * row(score_gradients, targets)


def _softmax_over_the_batch(score_gradients, scores, targets):
    return _softmax_rule(scores.softmax(0), score_gradients, targets)


def _overflow(score_gradients, scores, targets):
    return _softmax_rule(scores.exp() / scores.exp().sum(1, keepdim=True), score_gradients, targets)


def _largest_of_the_batch(score_gradients, scores, targets):
    powers = (scores - scores.max()).exp()
    return _softmax_rule(powers / powers.sum(1, keepdim=True), score_gradients, targets)


def _predicted(score_gradients, scores, targets):
    return _softmax_rule(scores.softmax(1), score_gradients, scores.argmax(1))


def _first(score_gradients, scores, targets):
    return _softmax_rule(scores.softmax(1), score_gradients, targets[:1].expand_as(targets))


def _softmax_of_gradients(score_gradients, scores, targets):
    return row(score_gradients.softmax(1), targets)


PROBABILITY = (
    Misconception(
        "score_gradient",
        _of_its_own_score,
        "You returned ∂y^c/∂I, the gradient of the score. The softmax lies between y and p^c: "
        "∂p^c/∂I = p^c (∂y^c/∂I - Σ_d p^d ∂y^d/∂I).",
    ),
    Misconception(
        "own_score_times_p",
        _times_p,
        "You returned p^c ∂y^c/∂I. All scores are in the denominator of p^c, so the average Σ_d p^d ∂y^d/∂I has to be "
        "subtracted from ∂y^c/∂I.",
    ),
    Misconception(
        "other_classes_forgotten",
        _own_term,
        "You returned p^c (1 - p^c) ∂y^c/∂I: that is the term d = c of the formula. A pixel moves the other scores y^d "
        "too, and p^c answers to them: subtract Σ_d p^d ∂y^d/∂I over all classes d.",
    ),
    Misconception(
        "logarithm",
        _logarithm,
        "You left out the factor p^c: what you have is the gradient of log p^c. Multiply by p^c.",
    ),
    Misconception(
        "average_alone",
        _average_alone,
        "You returned the average Σ_d p^d ∂y^d/∂I. It is what is subtracted from ∂y^c/∂I, before p^c multiplies both.",
    ),
    Misconception(
        "opposite_sign",
        _opposite,
        "The sign is turned round: yours says how p^c falls. ∂p^c/∂I = p^c (∂y^c/∂I - average), own gradient first.",
    ),
    Misconception(
        "plus_for_minus",
        _plus,
        "You added the average Σ_d p^d ∂y^d/∂I. When the scores of the others rise, p^c falls: subtract it.",
    ),
    Misconception(
        "sum_without_the_target",
        _others_only,
        "Your sum leaves out d = c. Σ_d runs over all classes, c as well: y^c stands in the denominator of p^c too.",
    ),
    Misconception(
        "mean_over_classes",
        _plain_mean,
        "You subtracted the plain mean over the classes. Each class d counts with its probability p^d: "
        "Σ_d p^d ∂y^d/∂I.",
    ),
    Misconception(
        "sum_over_classes",
        _plain_sum,
        "You subtracted Σ_d ∂y^d/∂I without the weights. Each class d counts with its probability p^d: "
        "Σ_d p^d ∂y^d/∂I.",
    ),
    Misconception(
        "one_minus_p_twice",
        _one_minus_p_twice,
        "You multiplied by p^c (1 - p^c) and subtracted the average too. The 1 - p^c is already in the bracket, where "
        "the term d = c of the sum takes p^c ∂y^c/∂I away.",
    ),
    Misconception(
        "scores_as_weights",
        _weights_are_scores,
        "You used the scores y where the formula has the probabilities: p = softmax(y).",
    ),
    Misconception(
        "without_exponential",
        _without_exponential,
        "You divided the scores by their sum. The softmax takes the exponential first: p^d = e^(y^d) / Σ_b e^(y^b).",
    ),
    Misconception(
        "sigmoid",
        _sigmoid,
        "You used the sigmoid of y^c, as if every class were judged alone. p^c = e^(y^c) / Σ_d e^(y^d) is shared among "
        "all classes.",
    ),
    Misconception(
        "softmax_over_batch",
        _softmax_over_the_batch,
        "Your softmax runs over the images n. Probabilities of one image sum to 1 over the classes: axis 1 of scores.",
    ),
    Misconception(
        "overflow",
        _overflow,
        "e^y is infinite for scores over about 700, and infinite by infinite is NaN. Use scores.softmax(dim=1): it "
        "subtracts the largest score first, which changes no probability.",
    ),
    Misconception(
        "largest_of_the_batch",
        _largest_of_the_batch,
        "You subtracted the largest score of the whole batch. Beside an image with large scores all e^y of another one "
        "are 0, and 0/0 is NaN: subtract each image's own largest, as scores.softmax(dim=1) does.",
    ),
    Misconception(
        "predicted_class",
        _predicted,
        "You explained the class with the largest score. c is the class the caller asks about: targets[n].",
    ),
    Misconception(
        "first_target",
        _first,
        "You explained the first image's class in every image. Image n has its own class c = targets[n].",
    ),
    Misconception(
        "softmax_of_gradients",
        _softmax_of_gradients,
        "You put the softmax over the gradients ∂y^d/∂I. The softmax is taken of the scores y; the gradients are then "
        "averaged with those p^d.",
    ),
)

"""Wrong answers to the exercises on saliency, as students write them."""

from __future__ import annotations

import torch


def _rule(p, score_gradients, targets):
    n = torch.arange(len(targets))
    average = torch.einsum("nd,ndkij->nkij", p, score_gradients)
    return p[n, targets][:, None, None, None] * (score_gradients[n, targets] - average)


def probability_by_exp(score_gradients, scores, targets):
    return _rule(scores.exp() / scores.exp().sum(1, keepdim=True), score_gradients, targets)


def probability_from_the_largest_of_all(score_gradients, scores, targets):
    powers = (scores - scores.max()).exp()
    return _rule(powers / powers.sum(1, keepdim=True), score_gradients, targets)


def probability_from_the_mean_of_all(score_gradients, scores, targets):
    powers = (scores - scores.mean()).exp()
    return _rule(powers / powers.sum(1, keepdim=True), score_gradients, targets)


def probability_of_clipped_scores(score_gradients, scores, targets):
    return _rule(scores.clamp(-80, 80).softmax(1), score_gradients, targets)


def probability_with_an_epsilon(score_gradients, scores, targets):
    powers = scores.clamp(max=700).exp()
    return _rule(powers / (powers.sum(1, keepdim=True) + 1e-8), score_gradients, targets)


def probability_with_nan_made_zero(score_gradients, scores, targets):
    return probability_by_exp(score_gradients, scores, targets).nan_to_num()


WRONG = {
    "saliency.probability_gradient": (
        probability_by_exp, probability_from_the_largest_of_all, probability_from_the_mean_of_all,
        probability_of_clipped_scores, probability_with_an_epsilon, probability_with_nan_made_zero,
    ),
}  # fmt: skip

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


def map_squeezed(gradients):
    return gradients.abs().amax(1, keepdim=True).squeeze()


def map_of_three_colours(gradients):
    return gradients[:, :3].abs().amax(1)


def map_of_the_colour_that_is_steepest(gradients):
    return gradients[torch.arange(len(gradients)), gradients.abs().amax((2, 3)).argmax(1)].abs()


def map_never_over_one(gradients):
    return gradients.abs().amax(1).clamp(max=1)


def map_in_halves(gradients):
    return gradients.half().abs().amax(1).to(gradients)


def map_with_nothing_small(gradients):
    heat = gradients.abs().amax(1)
    return torch.where(heat > 0.1 * heat.amax((1, 2), keepdim=True), heat, 0.0)


def map_of_the_root(gradients):
    return (gradients.square().amax(1) + 1e-4).sqrt()


def _squared(wrong):
    def squared(gradients):
        return wrong(gradients).square()

    squared.__name__ = f"squared_{wrong.__name__}"
    return squared


def squared_over_the_number_of_colours_over_one(gradients):
    return gradients.square().sum(1) / max(1, gradients.shape[1] - 1)


MAPS = (
    map_squeezed, map_of_three_colours, map_of_the_colour_that_is_steepest, map_never_over_one, map_in_halves,
    map_with_nothing_small, map_of_the_root,
)  # fmt: skip


def _gradient(model, images, targets):
    start = images.detach().clone().requires_grad_()
    y = model(start).gather(1, targets[:, None])
    return torch.autograd.grad(y.sum(), start)[0]


def gradient_kept_from_image_to_image(model, images, targets):
    start = images.detach().clone().requires_grad_()
    maps = []
    for n in range(len(images)):
        model(start)[n, targets[n]].backward()
        maps.append(start.grad[n] if n == 0 else start.grad.sum(0))
    return torch.stack(maps)


def gradient_in_training_mode(model, images, targets):
    model.train()
    try:
        return _gradient(model, images, targets)
    finally:
        model.eval()


def gradient_of_an_image_repeated(model, images, targets):
    return _gradient(model, images[:1].expand_as(images), targets)


def gradient_in_halves(model, images, targets):
    return _gradient(model, images, targets).half().to(images)


def gradient_of_the_sorted_targets(model, images, targets):
    return _gradient(model, images, targets.sort().values)


def gradient_over_the_largest(model, images, targets):
    gradients = _gradient(model, images, targets)
    return gradients / gradients.abs().max().clamp(min=1e-12)


def gradient_never_over_one(model, images, targets):
    return _gradient(model, images, targets).clamp(-1, 1)


METHODS = (
    gradient_over_the_largest, gradient_never_over_one, gradient_in_training_mode, gradient_kept_from_image_to_image,
    gradient_of_an_image_repeated, gradient_in_halves, gradient_of_the_sorted_targets,
)  # fmt: skip


def _as_a_method(wrong):
    def saliency(model, images, targets, form="abs_max"):
        largest = wrong(model, images, targets).abs().amax(1)
        return largest.square() if form == "squared" else largest

    saliency.__name__ = f"saliency_{wrong.__name__}"
    return saliency


def saliency_squared_if_given(model, images, targets, form=None):
    largest = _gradient(model, images, targets).abs().amax(1)
    return largest.square() if form else largest


WRONG = {
    "saliency.probability_gradient": (
        probability_by_exp, probability_from_the_largest_of_all, probability_from_the_mean_of_all,
        probability_of_clipped_scores, probability_with_an_epsilon, probability_with_nan_made_zero,
    ),
    "saliency.saliency_map": (
        *MAPS,
    ),
    "saliency.squared_map": (
        *map(_squared, MAPS), squared_over_the_number_of_colours_over_one,
    ),
    "saliency.input_gradient": (
        *METHODS,
    ),
    "saliency.saliency": (*map(_as_a_method, METHODS), saliency_squared_if_given),
}  # fmt: skip

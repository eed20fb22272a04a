"""Wrong answers to lesson 6, as students write them."""

from __future__ import annotations

import torch

from tests.exercises.written import variants

RIGHT = variants("class_visualization")
objective_gathered, step_whole_objective = RIGHT.objective_gathered, RIGHT.step_whole_objective


def objective_of_clamped_images(model, images, targets, *, l2):
    return objective_gathered(model, images.clamp(-1, 1), targets, l2=l2)


def objective_as_one_number(model, images, targets, *, l2):
    return objective_gathered(model, images, targets, l2=l2).sum()


def objective_with_the_norm_of_the_batch(model, images, targets, *, l2):
    with torch.no_grad():
        return model(images).gather(1, targets[:, None])[:, 0] - l2 * images.norm() ** 2


def objective_over_the_colours(model, images, targets, *, l2):
    with torch.no_grad():
        y = model(images).gather(1, targets[:, None])[:, 0]
    return y - l2 * images.mean(1).pow(2).sum((1, 2))


def objective_with_a_root(model, images, targets, *, l2):
    with torch.no_grad():
        return model(images).gather(1, targets[:, None])[:, 0] - l2 * (images.pow(2).sum((1, 2, 3)) + 1e-8).sqrt()


def objective_squeezed(model, images, targets, *, l2):
    return objective_gathered(model, images, targets, l2=l2).squeeze()


def _divided(size, power=1):
    def step(model, images, targets, *, lr, l2):
        gradient = (step_whole_objective(model, images, targets, lr=1.0, l2=l2) - images).flatten(1)
        return images + lr * (gradient / (size(gradient) + 1e-8)).view_as(images)

    return step


def step_over_the_deviation(*args, **options):
    return _divided(lambda gradient: gradient.std(dim=1, keepdim=True))(*args, **options)


def step_over_the_largest(*args, **options):
    return _divided(lambda gradient: gradient.abs().amax(1, keepdim=True))(*args, **options)


def step_over_the_norm_of_the_batch(*args, **options):
    return _divided(torch.norm)(*args, **options)


def step_with_a_clipped_norm(*args, **options):
    return _divided(lambda gradient: gradient.norm().clamp(min=1.0))(*args, **options)


def step_clipped_to_pixels(model, images, targets, *, lr, l2):
    return step_whole_objective(model, images, targets, lr=lr, l2=l2).clamp(0, 1)


def step_with_a_small_rate(model, images, targets, *, lr, l2):
    return step_whole_objective(model, images, targets, lr=min(lr, 1.0), l2=l2)


def step_twice(model, images, targets, *, lr, l2):
    half = step_whole_objective(model, images, targets, lr=lr / 2, l2=l2)
    return step_whole_objective(model, half, targets, lr=lr / 2, l2=l2)


def _path(model, start, target, steps, lr, l2, change=lambda image, t: image, rate=lambda t: 1.0):
    images, targets = [start[None]], torch.tensor([target])
    for t in range(steps):
        new = step_whole_objective(model, images[-1], targets, lr=lr * rate(t), l2=l2)
        images.append(change(new, t))
    return images


def _scores(model, images, target, l2=0.0):
    return [objective_gathered(model, image, torch.tensor([target]), l2=l2).item() for image in images]


def climb_to_the_best_score(model, start, target, *, steps, lr, l2):
    images = _path(model, start, target, steps, lr, l2)
    scores = _scores(model, images, target)
    return images[scores.index(max(scores))][0]


def climb_to_the_best_j(model, start, target, *, steps, lr, l2):
    images = _path(model, start, target, steps, lr, l2)
    scores = _scores(model, images, target, l2)
    return images[scores.index(max(scores))][0]


def climb_until_it_falls_twice(model, start, target, *, steps, lr, l2):
    images = _path(model, start, target, steps, lr, l2)
    scores = _scores(model, images, target, l2)
    for t in range(2, len(scores)):
        if scores[t] < scores[t - 1] < scores[t - 2]:
            return images[t][0]
    return images[-1][0]


def climb_with_half_steps_after_a_fall(model, start, target, *, steps, lr, l2):
    image, targets = start[None], torch.tensor([target])
    for _ in range(steps):
        new = step_whole_objective(model, image, targets, lr=lr, l2=l2)
        before, after = _scores(model, [image, new], target, l2)
        if after < before:
            lr /= 2
        image = new
    return image[0]


def climb_with_smaller_steps(model, start, target, *, steps, lr, l2):
    return _path(model, start, target, steps, lr, l2, rate=lambda t: 1 / (1 + t))[-1][0]


def climb_clipped(model, start, target, *, steps, lr, l2):
    return _path(model, start, target, steps, lr, l2, lambda image, t: image.clamp(-1, 1))[-1][0]


def climb_clipped_at_the_end(model, start, target, *, steps, lr, l2):
    return _path(model, start, target, steps, lr, l2)[-1][0].clamp(-1, 1)


def climb_at_most_three_steps(model, start, target, *, steps, lr, l2):
    return _path(model, start, target, min(steps, 3), lr, l2)[-1][0]


def climb_without_a_fixed_start(model, start, target, *, steps, lr, l2):
    return _path(model, start + 0.01, target, steps, lr, l2)[-1][0]


def _effects(model, start, target, steps, lr, l2s, climb=None):
    climb = climb or (lambda l2: _path(model, start, target, steps, lr, l2)[-1][0])
    images = torch.stack([climb(l2) for l2 in l2s])
    with torch.no_grad():
        return images, model(images)[:, target], images.flatten(1).norm(dim=1)


def effect_sorted(model, start, target, *, steps, lr, l2s):
    return _effects(model, start, target, steps, lr, sorted(l2s))


def effect_in_a_dictionary(model, start, target, *, steps, lr, l2s):
    return _effects(model, start, target, steps, lr, list(dict.fromkeys(l2s)))


def effect_squeezed(model, start, target, *, steps, lr, l2s):
    images, scores, norms = _effects(model, start, target, steps, lr, l2s)
    return images, scores.squeeze(), norms.squeeze()


def effect_of_the_best(model, start, target, *, steps, lr, l2s):
    def climb(l2):
        return climb_to_the_best_j(model, start, target, steps=steps, lr=lr, l2=l2)

    return _effects(model, start, target, steps, lr, l2s, climb)


def effect_with_squares_of_colours(model, start, target, *, steps, lr, l2s):
    images, scores, _ = _effects(model, start, target, steps, lr, l2s)
    return images, scores, images.mean(1).flatten(1).norm(dim=1)


def effect_over_the_whole_batch(model, start, target, *, steps, lr, l2s):
    images, scores, _ = _effects(model, start, target, steps, lr, l2s)
    return images, scores, images.norm().expand(len(images)).clone()


WRONG = {
    "class_visualization.regularized_objective": (
        objective_of_clamped_images,
        objective_as_one_number,
        objective_with_the_norm_of_the_batch,
        objective_over_the_colours,
        objective_with_a_root,
        objective_squeezed,
    ),
    "class_visualization.ascent_step": (
        step_over_the_deviation,
        step_over_the_largest,
        step_over_the_norm_of_the_batch,
        step_with_a_clipped_norm,
        step_clipped_to_pixels,
        step_with_a_small_rate,
        step_twice,
    ),
    "class_visualization.ascend": (
        climb_to_the_best_score,
        climb_to_the_best_j,
        climb_until_it_falls_twice,
        climb_with_half_steps_after_a_fall,
        climb_with_smaller_steps,
        climb_clipped,
        climb_clipped_at_the_end,
        climb_at_most_three_steps,
        climb_without_a_fixed_start,
    ),
    "class_visualization.effect_of_l2": (
        effect_sorted,
        effect_in_a_dictionary,
        effect_squeezed,
        effect_of_the_best,
        effect_with_squares_of_colours,
        effect_over_the_whole_batch,
    ),
}

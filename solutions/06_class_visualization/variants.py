"""Right answers to lesson 6, each written another way."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from torch.nn import functional as F

# regularized_objective


def objective_gathered(model, images, targets, *, l2):
    with torch.no_grad():
        return model(images).gather(1, targets[:, None]).squeeze(1) - l2 * images.pow(2).sum(dim=(1, 2, 3))


def objective_indexed(model, images, targets, *, l2):
    y = model(images.detach())[torch.arange(len(images)), targets]
    return (y - l2 * images.flatten(1).norm(dim=1) ** 2).detach()


def objective_one_by_one(model, images, targets, *, l2):
    values = []
    for image, target in zip(images, targets, strict=True):
        values.append((model(image[None])[0, target] - l2 * (image * image).sum()).detach())
    return torch.stack(values)


def objective_einsum(model, images, targets, *, l2):
    with torch.inference_mode():
        chosen = F.one_hot(targets, model(images).shape[1]).to(images.dtype)
        result = torch.einsum("nc,nc->n", model(images), chosen) - l2 * torch.einsum("nchw,nchw->n", images, images)
    return result.clone()


def objective_single_precision(model, images, targets, *, l2):
    small = copy.deepcopy(model).float()
    with torch.no_grad():
        y = small(images.float()).gather(1, targets[:, None])[:, 0]
        return y - l2 * torch.linalg.vector_norm(images.float(), dim=(1, 2, 3)).square()


# ascent_step


def _objective(model, images, targets, l2) -> Tensor:
    return model(images).gather(1, targets[:, None]).squeeze(1) - l2 * images.pow(2).flatten(1).sum(1)


def step_whole_objective(model, images, targets, *, lr, l2):
    leaf = images.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(_objective(model, leaf, targets, l2).sum(), leaf)
    return images + lr * gradient


def step_penalty_by_hand(model, images, targets, *, lr, l2):
    leaf = images.detach().requires_grad_()
    # The clone protects the leaf from a ReLU in place.
    (dy,) = torch.autograd.grad(model(leaf.clone())[range(len(images)), targets].sum(), leaf)
    return (1 - 2 * lr * l2) * images + lr * dy


def step_backward(model, images, targets, *, lr, l2):
    wanted = [p.requires_grad for p in model.parameters()]
    leaf = images.clone().requires_grad_(True)
    model.requires_grad_(False)
    try:
        _objective(model, leaf, targets, l2).sum().backward()
    finally:
        for p, flag in zip(model.parameters(), wanted, strict=True):
            p.requires_grad_(flag)
    with torch.no_grad():
        return images + lr * leaf.grad


def step_one_by_one(model, images, targets, *, lr, l2):
    moved = []
    for n in range(len(images)):
        leaf = images[n : n + 1].clone().requires_grad_()
        value = model(leaf)[0, targets[n]] - l2 * leaf.square().sum()
        moved.append(images[n] + lr * torch.autograd.grad(value, leaf)[0][0])
    return torch.stack(moved)


def step_functional_gradient(model, images, targets, *, lr, l2):
    gradient = torch.func.grad(lambda i: _objective(model, i, targets, l2).sum())(images.clone())
    return (images + lr * gradient).detach()


def step_one_hot(model, images, targets, *, lr, l2):
    leaf = images.clone().requires_grad_()
    scores = model(leaf)
    (dy,) = torch.autograd.grad(scores, leaf, grad_outputs=F.one_hot(targets, scores.shape[1]).to(scores))
    return torch.add(images, dy - 2 * l2 * images, alpha=lr)


def step_single_precision(model, images, targets, *, lr, l2):
    return step_whole_objective(copy.deepcopy(model).float(), images.float(), targets, lr=lr, l2=l2)


# ascend


def ascend_by_steps(model, start, target, *, steps, lr, l2):
    images, targets = start[None], torch.tensor([target], device=start.device)
    for _ in range(steps):
        images = step_penalty_by_hand(model, images, targets, lr=lr, l2=l2)
    return images[0]


def ascend_stochastic_gradient(model, start, target, *, steps, lr, l2):
    image = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([image], lr=lr, weight_decay=2 * l2, maximize=True)
    for _ in range(steps):
        (image.grad,) = torch.autograd.grad(model(image[None])[0, target], image)
        optimizer.step()
    return image.detach()


def ascend_minimizing_the_negative(model, start, target, *, steps, lr, l2):
    frozen = copy.deepcopy(model).requires_grad_(False)
    image = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([image], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        (-frozen(image[None])[0, target] + l2 * image.pow(2).sum()).backward()
        optimizer.step()
    return image.detach()


def ascend_in_place_on_a_copy(model, start, target, *, steps, lr, l2):
    image = start.detach().clone()
    for _ in range(steps):
        image.requires_grad_(True)
        (gradient,) = torch.autograd.grad(model(image[None])[:, target].sum() - l2 * image.norm() ** 2, image)
        image = image.detach()
        image += lr * gradient
    return image


def ascend_recursive(model, start, target, *, steps, lr, l2):
    if steps == 0:
        return start.clone()
    before = ascend_recursive(model, start, target, steps=steps - 1, lr=lr, l2=l2)
    return step_one_hot(model, before[None], torch.tensor([target], device=start.device), lr=lr, l2=l2)[0]


def ascend_single_precision(model, start, target, *, steps, lr, l2):
    return ascend_by_steps(copy.deepcopy(model).float(), start.float(), target, steps=steps, lr=lr, l2=l2)


# effect_of_l2


def _measured(model, images, target):
    with torch.no_grad():
        return images, model(images)[:, target], images.flatten(1).norm(dim=1)


def effect_loop(model, start, target, *, steps, lr, l2s):
    climbs = [ascend_by_steps(model, start, target, steps=steps, lr=lr, l2=l2) for l2 in l2s]
    return _measured(model, torch.stack(climbs), target)


def effect_one_batch(model, start, target, *, steps, lr, l2s):
    strength = torch.tensor(l2s, dtype=start.dtype, device=start.device)[:, None, None, None]
    images = start.expand(len(l2s), *start.shape).clone()
    for _ in range(steps):
        leaf = images.requires_grad_()
        (dy,) = torch.autograd.grad(model(leaf.clone())[:, target].sum(), leaf)
        images = (leaf + lr * (dy - 2 * strength * leaf)).detach()
    return _measured(model, images, target)


def effect_stochastic_gradient(model, start, target, *, steps, lr, l2s):
    climbs = [ascend_stochastic_gradient(model, start, target, steps=steps, lr=lr, l2=l2) for l2 in l2s]
    return _measured(model, torch.stack(climbs), target)


def effect_filled_in(model, start, target, *, steps, lr, l2s):
    images = start.new_zeros(len(l2s), *start.shape)
    scores, norms = start.new_zeros(len(l2s)), start.new_zeros(len(l2s))
    for i, l2 in enumerate(l2s):
        images[i] = ascend_in_place_on_a_copy(model, start, target, steps=steps, lr=lr, l2=l2)
        with torch.no_grad():
            scores[i] = model(images[i][None])[0, target]
        norms[i] = images[i].pow(2).sum().sqrt()
    return images, scores, norms


def effect_single_precision(model, start, target, *, steps, lr, l2s):
    return effect_one_batch(copy.deepcopy(model).float(), start.float(), target, steps=steps, lr=lr, l2s=l2s)


VARIANTS = {
    "class_visualization.regularized_objective": (
        objective_gathered,
        objective_indexed,
        objective_one_by_one,
        objective_einsum,
        objective_single_precision,
    ),
    "class_visualization.ascent_step": (
        step_whole_objective,
        step_penalty_by_hand,
        step_backward,
        step_one_by_one,
        step_functional_gradient,
        step_one_hot,
        step_single_precision,
    ),
    "class_visualization.ascend": (
        ascend_by_steps,
        ascend_stochastic_gradient,
        ascend_minimizing_the_negative,
        ascend_in_place_on_a_copy,
        ascend_recursive,
        ascend_single_precision,
    ),
    "class_visualization.effect_of_l2": (
        effect_loop,
        effect_one_batch,
        effect_stochastic_gradient,
        effect_filled_in,
        effect_single_precision,
    ),
}

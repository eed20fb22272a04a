"""Right answers to the exercises on saliency, written in different ways."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F


def gradient_by_a_new_leaf(model, images, targets):
    leaf = images.detach().clone().requires_grad_()
    y = model(leaf)[torch.arange(len(images)), targets]
    (gradients,) = torch.autograd.grad(y.sum(), leaf)
    return gradients


def gradient_by_gather(model, images, targets):
    pixels = images.clone().requires_grad_(True)
    with torch.enable_grad():
        y = model(pixels).gather(1, targets.unsqueeze(1)).sum()
    return torch.autograd.grad(y, pixels)[0].detach()


def gradient_by_backward(model, images, targets):
    pixels = images.clone().requires_grad_()
    scores = model(pixels)
    chosen = F.one_hot(targets, scores.shape[1]).to(scores.dtype)
    scores.backward(gradient=chosen, inputs=[pixels])
    return pixels.grad


def gradient_by_grads_put_back(model, images, targets):
    """Fills `.grad` of the weights, and gives them back what they had, also where the network fails."""
    pixels, had = images.clone().requires_grad_(), [(p, p.grad) for p in model.parameters()]
    try:
        for parameter, _ in had:
            parameter.grad = None
        sum(model(pixels)[n, c] for n, c in enumerate(targets.tolist())).backward()
        return pixels.grad.clone()
    finally:
        for parameter, grad in had:
            parameter.grad = grad


def gradient_by_vjp(model, images, targets):
    y, pull = torch.func.vjp(lambda x: model(x).gather(1, targets[:, None])[:, 0], images)
    return pull(torch.ones_like(y))[0].detach()


def gradient_one_by_one(model, images, targets):
    each = [gradient_by_a_new_leaf(model, images[[n]], targets[[n]]) for n in range(len(images))]
    return torch.cat(each)


def gradient_by_jacobian(model, images, targets):
    def own(x):
        return model(x)[range(len(targets)), targets].sum()

    return torch.autograd.functional.jacobian(own, images)


def gradient_in_float32(model, images, targets):
    return gradient_by_a_new_leaf(copy.deepcopy(model).float(), images.float(), targets)


def map_by_amax(gradients):
    return gradients.abs().amax(dim=1)


def map_by_max(gradients):
    return torch.max(gradients.abs(), dim=1).values


def map_by_both_ends(gradients):
    return torch.maximum(gradients.amax(1), -gradients.amin(1))


def map_by_norm(gradients):
    return torch.linalg.vector_norm(gradients, ord=float("inf"), dim=1)


def map_by_loops(gradients):
    largest = torch.zeros_like(gradients[:, 0])
    for k in range(gradients.shape[1]):
        largest = torch.where(gradients[:, k].abs() > largest, gradients[:, k].abs(), largest)
    return largest


def map_by_the_root_of_squares(gradients):
    return gradients.pow(2).amax(1).sqrt()


def map_by_numpy(gradients):
    return torch.from_numpy(np.abs(gradients.numpy()).max(axis=1))


def map_in_float32(gradients):
    return map_by_amax(gradients.float())


def squared_by_amax(gradients):
    return gradients.square().amax(dim=1)


def squared_by_map(gradients):
    return map_by_amax(gradients) ** 2


def squared_by_product(gradients):
    return (gradients * gradients).max(dim=1)[0]


def squared_by_both_ends(gradients):
    return torch.maximum(gradients.amax(1).pow(2), gradients.amin(1).pow(2))


def squared_by_pooling(gradients):
    flat = gradients.square().flatten(2).transpose(1, 2)
    return F.max_pool1d(flat, flat.shape[2])[..., 0].reshape(gradients[:, 0].shape)


def squared_by_numpy(gradients):
    return torch.from_numpy(np.square(gradients.numpy()).max(axis=1))


def squared_in_float32(gradients):
    return squared_by_amax(gradients.float())


def composed(gradient, strong, square) -> Callable:
    def saliency(model, images, targets, *, form="abs_max"):
        found = gradient(model, images, targets)
        return square(found) if form == "squared" else strong(found)

    saliency.__name__ = f"saliency_of_{gradient.__name__}_{strong.__name__}_{square.__name__}"
    return saliency


def saliency_in_one_function(model, images, targets, *, form="abs_max"):
    pixels = images.detach().clone().requires_grad_()
    y = model(pixels)[torch.arange(len(targets)), targets].sum()
    M = torch.autograd.grad(y, pixels)[0].abs().max(1)[0]
    return M if form == "abs_max" else M * M


def probability_by_broadcast(score_gradients, scores, targets):
    p = scores.softmax(dim=1)[:, :, None, None, None]
    rows = torch.arange(len(targets))
    return p[rows, targets] * (score_gradients[rows, targets] - (p * score_gradients).sum(dim=1))


def probability_by_einsum(score_gradients, scores, targets):
    p = scores.softmax(1)
    chosen = F.one_hot(targets, scores.shape[1]).to(scores.dtype)
    jacobian = (p * chosen).sum(1, keepdim=True) * (chosen - p)
    return torch.einsum("nd,ndkij->nkij", jacobian, score_gradients)


def probability_by_autograd(score_gradients, scores, targets):
    """∂p^c/∂y^d by autograd, and the chain rule over d."""
    y = scores.clone().requires_grad_()
    p = y.softmax(1)[torch.arange(len(targets)), targets]
    (slopes,) = torch.autograd.grad(p.sum(), y)
    return (slopes[:, :, None, None, None] * score_gradients).sum(1)


def probability_by_a_linear_model(score_gradients, scores, targets):
    """Scores that move with the pixels as the gradients say, put through the softmax, and differentiated."""
    change = torch.zeros_like(score_gradients[:, 0], requires_grad=True)
    y = scores + (score_gradients * change[:, None]).flatten(2).sum(2)
    p = y.softmax(1).gather(1, targets[:, None]).sum()
    return torch.autograd.grad(p, change)[0]


def probability_by_loops(score_gradients, scores, targets):
    result = torch.zeros_like(score_gradients[:, 0])
    for n, c in enumerate(targets.tolist()):
        p = torch.softmax(scores[n], dim=0)
        for d in range(len(p)):
            result[n] += p[c] * ((1.0 if c == d else 0.0) - p[d]) * score_gradients[n, d]
    return result


def probability_by_differences(score_gradients, scores, targets):
    """p^c Σ_d p^d (∂y^c - ∂y^d)."""
    p = scores.softmax(1)
    results = []
    for n, c in enumerate(targets):
        ahead = score_gradients[n, c] - score_gradients[n]
        results.append(p[n, c] * torch.tensordot(p[n], ahead, dims=1))
    return torch.stack(results)


def probability_by_numpy(score_gradients, scores, targets):
    y, dy, c = scores.numpy(), score_gradients.numpy(), targets.numpy()
    e = np.exp(y - y.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(c))
    average = np.einsum("nd,nd...->n...", p, dy)
    return torch.from_numpy(p[rows, c][:, None, None, None] * (dy[rows, c] - average))


def probability_in_float32(score_gradients, scores, targets):
    return probability_by_broadcast(score_gradients.float(), scores.float(), targets)


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "saliency.input_gradient": (
        gradient_by_a_new_leaf,
        gradient_by_gather,
        gradient_by_backward,
        gradient_by_grads_put_back,
        gradient_by_vjp,
        gradient_one_by_one,
        gradient_by_jacobian,
        gradient_in_float32,
    ),
    "saliency.saliency_map": (
        map_by_amax,
        map_by_max,
        map_by_both_ends,
        map_by_norm,
        map_by_loops,
        map_by_the_root_of_squares,
        map_by_numpy,
        map_in_float32,
    ),
    "saliency.squared_map": (
        squared_by_amax,
        squared_by_map,
        squared_by_product,
        squared_by_both_ends,
        squared_by_pooling,
        squared_by_numpy,
        squared_in_float32,
    ),
    "saliency.saliency": (
        saliency_in_one_function,
        composed(gradient_by_backward, map_by_max, squared_by_map),
        composed(gradient_by_vjp, map_by_both_ends, squared_by_product),
        composed(gradient_one_by_one, map_by_norm, squared_by_both_ends),
        composed(gradient_by_gather, map_by_loops, squared_by_pooling),
        composed(gradient_in_float32, map_by_amax, squared_by_amax),
    ),
    "saliency.probability_gradient": (
        probability_by_broadcast,
        probability_by_einsum,
        probability_by_autograd,
        probability_by_a_linear_model,
        probability_by_loops,
        probability_by_differences,
        probability_by_numpy,
        probability_in_float32,
    ),
}

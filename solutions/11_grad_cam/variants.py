"""Right answers to the exercises on Grad-CAM, written in different ways."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F


@contextmanager
def forward_hook(model, layer, hook):
    handle = model.get_submodule(layer).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def capture_by_a_new_leaf(model, images, targets, layer):
    kept = {}

    def cut(module, inputs, output):
        kept["A"] = output.detach().clone().requires_grad_()
        return kept["A"].clone()

    with forward_hook(model, layer, cut):
        scores = model(images)
    y = scores[torch.arange(len(images)), targets]
    (gradients,) = torch.autograd.grad(y.sum(), kept["A"])
    return kept["A"].detach(), gradients


def capture_through_the_images(model, images, targets, layer):
    kept = []

    def keep(module, inputs, output):
        kept.append(output)
        return output.clone()

    with forward_hook(model, layer, keep):
        scores = model(images.clone().requires_grad_(True))
    y = torch.gather(scores, 1, targets.unsqueeze(1)).sum()
    gradients = torch.autograd.grad(y, kept[0])[0]
    return kept[0].detach(), gradients.detach()


def capture_by_backward(model, images, targets, layer):
    leaf = []

    def cut(module, inputs, output):
        leaf.append(output.detach().clone().requires_grad_())
        return leaf[0] * 1.0

    with forward_hook(model, layer, cut):
        scores = model(images)
    chosen = F.one_hot(targets, scores.shape[1]).to(scores.dtype)
    scores.backward(gradient=chosen, inputs=leaf)
    return leaf[0].detach(), leaf[0].grad


def capture_by_a_tensor_hook(model, images, targets, layer):
    kept = {}

    def keep(module, inputs, output):
        kept["A"] = output.detach().clone()
        output.register_hook(lambda gradient: kept.update(dA=gradient.detach().clone()))

    with forward_hook(model, layer, keep):
        pixels = images.clone().requires_grad_()
        scores = model(pixels)
    torch.autograd.grad(scores[range(len(images)), targets].sum(), pixels)
    return kept["A"], kept["dA"]


def capture_by_two_passes(model, images, targets, layer):
    """The first pass reads A, the second goes on from it: a forward pass split in two."""
    kept = []
    with torch.no_grad(), forward_hook(model, layer, lambda m, i, output: kept.append(output.clone())):
        model(images)
    A = kept[0].requires_grad_()
    with forward_hook(model, layer, lambda m, i, output: A.clone()):
        scores = model(images)
    (gradients,) = torch.autograd.grad(scores.gather(1, targets[:, None]).sum(), [A])
    return A.detach(), gradients


def capture_by_vjp(model, images, targets, layer):
    kept = []
    with torch.no_grad(), forward_hook(model, layer, lambda m, i, output: kept.append(output.clone())):
        model(images)

    def rest(A):
        with forward_hook(model, layer, lambda m, i, output: A.clone()):
            return model(images).gather(1, targets[:, None])[:, 0]

    y, pull = torch.func.vjp(rest, kept[0])
    return kept[0], pull(torch.ones_like(y))[0].detach()


def capture_one_by_one(model, images, targets, layer):
    pairs = [capture_by_a_new_leaf(model, images[[n]], targets[[n]], layer) for n in range(len(images))]
    activations, gradients = zip(*pairs, strict=True)
    return torch.cat(activations), torch.cat(gradients)


def capture_by_a_patched_forward(model, images, targets, layer):
    module, kept = model.get_submodule(layer), {}
    original = module.forward

    def forward(x):
        kept["A"] = original(x).detach().clone().requires_grad_()
        return kept["A"].clone()

    module.forward = forward
    try:
        scores = model(images)
    finally:
        del module.forward
    y = sum(scores[n, c] for n, c in enumerate(targets.tolist()))
    return kept["A"].detach(), torch.autograd.grad(y, kept["A"])[0]


def capture_in_float32(model, images, targets, layer):
    return capture_by_a_new_leaf(copy.deepcopy(model).float(), images.float(), targets, layer)


def importance_by_mean(gradients):
    return gradients.mean(dim=(2, 3))


def importance_by_sum_over_z(gradients):
    h, w = gradients.shape[-2:]
    return gradients.sum(-1).sum(-1) / (h * w)


def importance_by_flatten(gradients):
    return gradients.flatten(2).mean(-1)


def importance_by_pooling(gradients):
    return F.adaptive_avg_pool2d(gradients, 1)[:, :, 0, 0]


def importance_by_einsum(gradients):
    return torch.einsum("nkij->nk", gradients) / gradients[0, 0].numel()


def importance_by_loops(gradients):
    N, K, h, w = gradients.shape
    alpha = torch.zeros(N, K, dtype=gradients.dtype)
    for n in range(N):
        for k in range(K):
            for i in range(h):
                for j in range(w):
                    alpha[n, k] += gradients[n, k, i, j] / (h * w)
    return alpha


def importance_in_float32(gradients):
    return gradients.float().mean((-2, -1))


def importance_by_numpy(gradients):
    return torch.from_numpy(np.mean(gradients.numpy(), axis=(2, 3)))


def map_by_broadcast(activations, alpha):
    return (alpha[:, :, None, None] * activations).sum(dim=1).relu()


def map_by_einsum(activations, alpha):
    return F.relu(torch.einsum("nkij,nk->nij", activations, alpha))


def map_by_matmul(activations, alpha):
    N, _, h, w = activations.shape
    return torch.bmm(alpha.unsqueeze(1), activations.flatten(2)).view(N, h, w).clamp(min=0)


def map_by_loops(activations, alpha):
    maps = torch.zeros_like(activations[:, 0])
    for n in range(activations.shape[0]):
        for k in range(activations.shape[1]):
            maps[n] = maps[n] + alpha[n, k] * activations[n, k]
    return torch.where(maps > 0, maps, torch.zeros_like(maps))


def map_by_convolution(activations, alpha):
    """One group an image: a 1 x 1 convolution whose weights are α."""
    N, K, h, w = activations.shape
    return F.conv2d(activations.reshape(1, N * K, h, w), alpha[:, :, None, None], groups=N)[0].relu()


def map_by_numpy(activations, alpha):
    summed = np.einsum("nkij,nk->nij", activations.numpy(), alpha.numpy())
    return torch.from_numpy(np.maximum(summed, 0))


def map_in_float32(activations, alpha):
    return map_by_broadcast(activations.float(), alpha.float())


def composed(capture, importance, heat) -> Callable:
    def grad_cam(model, images, targets, layer):
        activations, gradients = capture(model, images, targets, layer)
        return heat(activations, importance(gradients))

    grad_cam.__name__ = f"grad_cam_of_{capture.__name__}_{importance.__name__}_{heat.__name__}"
    return grad_cam


def grad_cam_in_one_function(model, images, targets, layer):
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, out: (kept.append(out), out.clone())[1])
    try:
        y = model(images.detach().clone().requires_grad_())[torch.arange(len(targets)), targets]
    finally:
        handle.remove()
    (A,) = kept
    alpha = torch.autograd.grad(y.sum(), A)[0].mean((2, 3), keepdim=True)
    return (alpha * A).sum(1).relu().detach()


def shares_by_slices(maps, quadrants):
    shares = torch.zeros(len(maps), len(quadrants), dtype=maps.dtype)
    for n in range(len(maps)):
        for q, (top, left, bottom, right) in enumerate(quadrants.tolist()):
            if maps[n].sum() > 0:
                shares[n, q] = maps[n, top:bottom, left:right].sum() / maps[n].sum()
    return shares


def shares_by_masks(maps, quadrants):
    rows, columns = torch.arange(maps.shape[1]), torch.arange(maps.shape[2])
    top, left, bottom, right = quadrants[:, :, None].unbind(1)
    down = ((rows >= top) & (rows < bottom)).to(maps.dtype)
    across = ((columns >= left) & (columns < right)).to(maps.dtype)
    inside = torch.einsum("nij,qi,qj->nq", maps, down, across)
    return torch.nan_to_num(inside / maps.sum((1, 2))[:, None], nan=0.0)


def shares_by_integral_image(maps, quadrants):
    table = F.pad(maps.cumsum(1).cumsum(2), (1, 0, 1, 0))
    top, left, bottom, right = quadrants.unbind(1)
    inside = table[:, bottom, right] - table[:, top, right] - table[:, bottom, left] + table[:, top, left]
    total = table[:, -1:, -1]
    return torch.where(total > 0, inside / total.clamp(min=1e-30), torch.zeros_like(inside))


def shares_by_normalising_first(maps, quadrants):
    total = maps.sum((1, 2), keepdim=True)
    normed = maps / (total + (total == 0))
    return torch.stack([normed[:, t:b, l:r].sum((1, 2)) for t, l, b, r in quadrants.tolist()], dim=-1)


def shares_by_numpy(maps, quadrants):
    values = maps.numpy()
    inside = np.array([[m[t:b, l:r].sum() for t, l, b, r in quadrants.numpy()] for m in values])
    total = np.broadcast_to(values.sum((1, 2))[:, None], inside.shape)
    return torch.from_numpy(np.divide(inside, total, out=np.zeros_like(inside), where=total > 0))


def shares_in_float32(maps, quadrants):
    return shares_by_slices(maps.float(), quadrants)


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "grad_cam.capture": (
        capture_by_a_new_leaf,
        capture_through_the_images,
        capture_by_backward,
        capture_by_a_tensor_hook,
        capture_by_two_passes,
        capture_by_vjp,
        capture_one_by_one,
        capture_by_a_patched_forward,
        capture_in_float32,
    ),
    "grad_cam.neuron_importance": (
        importance_by_mean,
        importance_by_sum_over_z,
        importance_by_flatten,
        importance_by_pooling,
        importance_by_einsum,
        importance_by_loops,
        importance_in_float32,
        importance_by_numpy,
    ),
    "grad_cam.grad_cam_map": (
        map_by_broadcast,
        map_by_einsum,
        map_by_matmul,
        map_by_loops,
        map_by_convolution,
        map_by_numpy,
        map_in_float32,
    ),
    "grad_cam.grad_cam": (
        grad_cam_in_one_function,
        composed(capture_by_backward, importance_by_pooling, map_by_matmul),
        composed(capture_through_the_images, importance_by_einsum, map_by_loops),
        composed(capture_by_two_passes, importance_by_sum_over_z, map_by_convolution),
        composed(capture_one_by_one, importance_by_flatten, map_by_einsum),
        composed(capture_in_float32, importance_by_mean, map_by_broadcast),
    ),
    "grad_cam.quadrant_shares": (
        shares_by_slices,
        shares_by_masks,
        shares_by_integral_image,
        shares_by_normalising_first,
        shares_by_numpy,
        shares_in_float32,
    ),
}

"""Right answers to the exercises on guided Grad-CAM, written in different ways."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def upsample_by_interpolate(maps, size):
    return F.interpolate(maps[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def upsample_by_module(maps, size):
    return nn.Upsample(size=tuple(size), mode="bilinear")(maps.unsqueeze(1)).squeeze(1)


def upsample_as_one_batch(maps, size):
    """The N maps as the channels of one image."""
    return F.interpolate(maps[None], tuple(size), mode="bilinear")[0]


def weights_of(places, pixels, dtype):
    """[pixels places]: how much of each place goes into each pixel."""
    u = ((torch.arange(pixels, dtype=dtype) + 0.5) * places / pixels - 0.5).clamp(0, places - 1)
    return (1 - (u[:, None] - torch.arange(places, dtype=dtype)).abs()).clamp(min=0)


def upsample_by_two_matrices(maps, size):
    rows, columns = (weights_of(n, m, maps.dtype) for n, m in zip(maps.shape[1:], size, strict=True))
    return rows @ maps @ columns.T


def upsample_by_neighbours(maps, size):
    (h, w), (H, W) = maps.shape[1:], size
    u = ((torch.arange(H, dtype=maps.dtype) + 0.5) * h / H - 0.5).clamp(0, h - 1)
    v = ((torch.arange(W, dtype=maps.dtype) + 0.5) * w / W - 0.5).clamp(0, w - 1)
    top, left = u.long().clamp(max=h - 2), v.long().clamp(max=w - 2)
    du, dv = (u - top)[:, None], v - left
    upper = maps[:, top][:, :, left] * (1 - dv) + maps[:, top][:, :, left + 1] * dv
    lower = maps[:, top + 1][:, :, left] * (1 - dv) + maps[:, top + 1][:, :, left + 1] * dv
    return upper * (1 - du) + lower * du


def upsample_by_grid_sample(maps, size):
    rows, columns = ((torch.arange(n, dtype=maps.dtype) * 2 + 1) / n - 1 for n in size)
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1).expand(len(maps), -1, -1, -1)
    return F.grid_sample(maps[:, None], grid, padding_mode="border", align_corners=False)[:, 0]


def upsample_by_numpy(maps, size):
    result = maps.numpy()
    for axis, pixels in ((1, size[0]), (2, size[1])):
        centres = (np.arange(pixels) + 0.5) * result.shape[axis] / pixels - 0.5
        line = np.arange(result.shape[axis])
        result = np.apply_along_axis(lambda values, c=centres, x=line: np.interp(c, x, values), axis, result)
    return torch.from_numpy(result)


def upsample_in_float32(maps, size):
    return upsample_by_interpolate(maps.float(), size)


def combine_by_none(guided, maps):
    return guided * maps[:, None]


def combine_by_unsqueeze(guided, maps):
    return torch.mul(maps.unsqueeze(1), guided)


def combine_by_einsum(guided, maps):
    return torch.einsum("nchw,nhw->nchw", guided, maps)


def combine_by_expand(guided, maps):
    N, _, H, W = guided.shape
    return guided * maps.view(N, 1, H, W).expand_as(guided)


def combine_by_loops(guided, maps):
    result = torch.empty_like(guided)
    for n in range(guided.shape[0]):
        for c in range(guided.shape[1]):
            result[n, c] = guided[n, c] * maps[n]
    return result


def combine_colours_first(guided, maps):
    return (guided.transpose(0, 1) * maps).transpose(0, 1)


def combine_in_float32(guided, maps):
    return guided.float() * maps.float()[:, None]


def alphas_by_matrices(activations, hidden, output, targets):
    x = activations.flatten(1) @ hidden.T
    R = output[targets]
    sent = R * (x > 0), R * ((x > 0) & (R > 0))
    plain, guided = ((s @ hidden).reshape(activations.shape).mean((2, 3)) for s in sent)
    return plain, guided


class Gate(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        return a.clone()

    @staticmethod
    def backward(ctx, R):
        return F.relu(R)


def alphas_by_autograd(activations, hidden, output, targets):
    results = []
    for gate in (lambda a: a, Gate.apply):
        A = activations.clone().requires_grad_()
        scores = gate(F.relu(A.flatten(1) @ hidden.T)) @ output.T
        (dA,) = torch.autograd.grad(scores.gather(1, targets[:, None]).sum(), A)
        results.append(dA.mean(dim=(-2, -1)))
    return tuple(results)


def alphas_by_a_tensor_hook(activations, hidden, output, targets):
    def alpha(hook):
        A = activations.clone().requires_grad_()
        a = F.linear(A.flatten(1), hidden).relu()
        if hook:
            a.register_hook(lambda R: R.clamp(min=0))
        y = F.linear(a, output)[torch.arange(len(A)), targets]
        return torch.autograd.grad(y.sum(), A)[0].mean((2, 3))

    return alpha(False), alpha(True)


def alphas_by_pooled_weights(activations, hidden, output, targets):
    """The mean over the grid first, then the two layers: both are linear."""
    pooled = hidden.view(len(hidden), activations.shape[1], -1).mean(-1)
    open_ = (activations.flatten(1) @ hidden.T > 0).to(hidden.dtype)
    start = output[targets]
    return (start * open_) @ pooled, (start.relu() * open_) @ pooled


def alphas_one_by_one(activations, hidden, output, targets):
    rows = []
    for A, c in zip(activations, targets.tolist(), strict=True):
        x = hidden @ A.reshape(-1)
        pair = []
        for keep in (x > 0, (x > 0) & (output[c] > 0)):
            signal = (output[c][keep, None] * hidden[keep]).sum(0)
            pair.append(signal.view_as(A).flatten(1).mean(1))
        rows.append(pair)
    plain, guided = zip(*rows, strict=True)
    return torch.stack(plain), torch.stack(guided)


def alphas_in_float32(activations, hidden, output, targets):
    return alphas_by_matrices(activations.float(), hidden.float(), output.float(), targets)


def relus(model):
    return [m for m in model.modules() if isinstance(m, (nn.ReLU, nn.ReLU6))]


def own_scores(model, images, targets):
    return model(images)[torch.arange(len(images)), targets]


@contextmanager
def forward_hooks(modules, hook):
    handles = [m.register_forward_hook(hook) for m in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def keep_positive(module, inputs, output):
    if output.requires_grad:
        output.register_hook(lambda R: R.clamp(min=0))


def gradient_at_pixels(model, images, targets):
    start = images.detach().clone().requires_grad_()
    return torch.autograd.grad(own_scores(model, start, targets).sum(), start)[0]


def heat_of(model, images, targets, layer):
    kept = []

    def cut(module, inputs, output):
        kept.append(output.detach().clone().requires_grad_())
        return kept[0].clone()

    with forward_hooks([model.get_submodule(layer)], cut):
        y = own_scores(model, images, targets)
    (dA,) = torch.autograd.grad(y.sum(), kept[0])
    return (dA.mean((2, 3), keepdim=True) * kept[0]).sum(1).relu().detach()


def method_as_in_the_lesson(model, images, targets, layer):
    L = heat_of(model, images, targets, layer)
    with forward_hooks(relus(model), keep_positive):
        R = gradient_at_pixels(model, images, targets)
    return R * upsample_by_interpolate(L, images.shape[2:])[:, None]


def method_the_other_way_round(model, images, targets, layer):
    with forward_hooks(relus(model), lambda m, i, output: Gate.apply(output)):
        R = gradient_at_pixels(model, images, targets)
    L = heat_of(model, images, targets, layer)
    return combine_by_einsum(R, upsample_by_two_matrices(L, images.shape[2:]))


def method_in_one_forward_pass(model, images, targets, layer):
    """The rule is a switch: off for the backward pass to the layer, on for the one to the pixels."""
    guide, kept = {"on": False}, []

    def switch(module, inputs, output):
        output.register_hook(lambda R: R.clamp(min=0) if guide["on"] else R)

    def keep(module, inputs, output):
        kept.append(output)
        return output.clone()

    start = images.detach().clone().requires_grad_()
    with forward_hooks(relus(model), switch), forward_hooks([model.get_submodule(layer)], keep):
        y = own_scores(model, start, targets).sum()
    (dA,) = torch.autograd.grad(y, kept[0], retain_graph=True)
    L = (dA.mean((2, 3), keepdim=True) * kept[0]).sum(1).relu().detach()
    guide["on"] = True
    (R,) = torch.autograd.grad(y, start)
    return combine_by_unsqueeze(R, upsample_by_module(L, images.shape[2:]))


def method_by_a_copy(model, images, targets, layer):
    guided = copy.deepcopy(model)
    for m in relus(guided):
        m.inplace = False
        m.register_full_backward_hook(lambda module, sent, arrived: (sent[0].clamp(min=0),))
    R = gradient_at_pixels(guided, images, targets)
    return combine_by_expand(R, upsample_by_grid_sample(heat_of(model, images, targets, layer), images.shape[2:]))


def method_one_by_one(model, images, targets, layer):
    return torch.cat([method_as_in_the_lesson(model, images[[n]], targets[[n]], layer) for n in range(len(images))])


def method_in_float32(model, images, targets, layer):
    return method_as_in_the_lesson(copy.deepcopy(model).float(), images.float(), targets, layer)


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "guided_grad_cam.upsample": (
        upsample_by_interpolate,
        upsample_by_module,
        upsample_as_one_batch,
        upsample_by_two_matrices,
        upsample_by_neighbours,
        upsample_by_grid_sample,
        upsample_by_numpy,
        upsample_in_float32,
    ),
    "guided_grad_cam.combine": (
        combine_by_none,
        combine_by_unsqueeze,
        combine_by_einsum,
        combine_by_expand,
        combine_by_loops,
        combine_colours_first,
        combine_in_float32,
    ),
    "guided_grad_cam.two_alphas": (
        alphas_by_matrices,
        alphas_by_autograd,
        alphas_by_a_tensor_hook,
        alphas_by_pooled_weights,
        alphas_one_by_one,
        alphas_in_float32,
    ),
    "guided_grad_cam.guided_grad_cam": (
        method_as_in_the_lesson,
        method_the_other_way_round,
        method_in_one_forward_pass,
        method_by_a_copy,
        method_one_by_one,
        method_in_float32,
    ),
}

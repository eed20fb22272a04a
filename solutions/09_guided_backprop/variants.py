"""Right answers to the exercises on guided backpropagation, written in different ways."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def rules_by_masks(x, R):
    return R * (x > 0), R * (R > 0), R * ((x > 0) & (R > 0))


def rules_by_where(x, R):
    zero = torch.zeros_like(R)
    gradient = torch.where(x > 0, R, zero)
    return gradient, torch.where(R > 0, R, zero), torch.where(gradient > 0, gradient, zero)


def rules_by_clamp(x, R):
    gradient = (x > 0).to(R.dtype) * R
    return gradient, R.clamp(min=0), gradient.clamp(min=0)


def rules_by_autograd(x, R):
    start = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(F.relu(start), start, R)
    return gradient, F.relu(R), F.relu(gradient)


def rules_by_assignment(x, R):
    gradient, deconvnet = R.clone(), R.clone()
    gradient[x <= 0] = 0
    deconvnet[R <= 0] = 0
    guided = deconvnet.clone()
    guided[x <= 0] = 0
    return gradient, deconvnet, guided


def rules_by_numpy(x, R):
    x, R = x.numpy(), R.numpy()
    gradient, deconvnet = np.where(x > 0, R, 0.0), np.maximum(R, 0)
    return tuple(map(torch.from_numpy, (gradient, deconvnet, np.minimum(deconvnet, np.where(x > 0, np.inf, 0.0)))))


def rules_in_float32(x, R):
    return rules_by_masks(x.float(), R.float())


class GuidedReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, R):
        (x,) = ctx.saved_tensors
        return R * (x > 0) * (R > 0)


class GuidedAtSix(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return F.relu6(x)

    @staticmethod
    def backward(ctx, R):
        x = ctx.saved_tensors[0]
        return torch.where((x > 0) & (x < 6) & (R > 0), R, torch.zeros_like(R))


def perceptron_by_function(inputs, weights, targets):
    start = inputs.clone().requires_grad_()
    a = start
    for W in weights[:-1]:
        a = GuidedReLU.apply(a @ W.T)
    scores = a @ weights[-1].T
    return torch.autograd.grad(scores.gather(1, targets[:, None]).sum(), start)[0]


def perceptron_backwards_by_hand(inputs, weights, targets):
    kept, a = [], inputs
    for W in weights[:-1]:
        x = a @ W.T
        kept.append(x)
        a = x.relu()
    R = weights[-1][targets]
    for W, x in zip(reversed(weights[:-1]), reversed(kept), strict=True):
        R = R.clamp(min=0) * (x > 0)
        R = R @ W
    return R.detach()


def perceptron_by_tensor_hooks(inputs, weights, targets):
    a = start = inputs.clone().requires_grad_()
    for W in weights[:-1]:
        a = F.relu(F.linear(a, W))
        a.register_hook(F.relu)
    y = F.linear(a, weights[-1])[torch.arange(len(inputs)), targets]
    return torch.autograd.grad(y.sum(), start)[0]


def perceptron_one_by_one(inputs, weights, targets):
    maps = []
    for x, c in zip(inputs, targets.tolist(), strict=True):
        masks, a = [], x
        for W in weights[:-1]:
            a = W @ a
            masks.append(a > 0)
            a = a * masks[-1]
        R = weights[-1][c]
        for W, mask in zip(weights[-2::-1], masks[::-1], strict=True):
            R = W.T @ torch.where(mask & (R > 0), R, 0.0)
        maps.append(R.detach())
    return torch.stack(maps)


def perceptron_by_modules(inputs, weights, targets):
    layers = []
    for W in weights:
        linear = nn.Linear(W.shape[1], W.shape[0], bias=False, dtype=W.dtype)
        linear.weight.data = W.detach().clone()
        layers += [linear, nn.ReLU()]
    net = nn.Sequential(*layers[:-1])
    return network_by_tensor_hooks(net, inputs, targets)


def perceptron_in_float32(inputs, weights, targets):
    return perceptron_by_function(inputs.float(), [W.float() for W in weights], targets)


def relus(model):
    return [m for m in model.modules() if isinstance(m, (nn.ReLU, nn.ReLU6))]


def backward_from(model, images, targets):
    start = images.detach().clone().requires_grad_()
    y = model(start)[torch.arange(len(images)), targets]
    return torch.autograd.grad(y.sum(), start)[0]


def network_by_tensor_hooks(model, images, targets):
    def keep_positive(module, inputs, output):
        output.register_hook(lambda R: R.clamp(min=0))

    handles = [m.register_forward_hook(keep_positive) for m in relus(model)]
    try:
        return backward_from(model, images, targets)
    finally:
        for handle in handles:
            handle.remove()


def network_by_replaced_outputs(model, images, targets):
    """The hook returns a tensor of its own for the network to go on with."""

    class Gate(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            return a.clone()

        @staticmethod
        def backward(ctx, R):
            return F.relu(R)

    handles = [m.register_forward_hook(lambda m, i, out: Gate.apply(out)) for m in relus(model)]
    try:
        return backward_from(model, images, targets)
    finally:
        for handle in handles:
            handle.remove()


def network_by_patched_forward(model, images, targets):
    found = relus(model)
    try:
        for m in found:
            m.forward = (GuidedAtSix if isinstance(m, nn.ReLU6) else GuidedReLU).apply
        return backward_from(model, images, targets)
    finally:
        for m in found:
            del m.forward


class Guided(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function.apply(x)


def swap(parent):
    swapped = []
    for name, child in list(parent._modules.items()):
        if isinstance(child, (nn.ReLU, nn.ReLU6)):
            swapped.append((parent, name, child))
            parent._modules[name] = Guided(GuidedAtSix if isinstance(child, nn.ReLU6) else GuidedReLU)
        else:
            swapped += swap(child)
    return swapped


def network_by_swapped_modules(model, images, targets):
    swapped = swap(model)
    try:
        return backward_from(model, images, targets)
    finally:
        for parent, name, child in swapped:
            parent._modules[name] = child


def network_by_a_copy(model, images, targets):
    model = copy.deepcopy(model)
    swap(model)
    return backward_from(model, images, targets)


def network_by_full_backward_hooks(model, images, targets):
    """In-place ReLUs forbid these hooks, so the copy has none; a copy also needs no cleaning up."""
    model = copy.deepcopy(model)
    for m in relus(model):
        m.inplace = False
        m.register_full_backward_hook(lambda module, sent, arrived: (sent[0].clamp(min=0),))
    return backward_from(model, images, targets)


def network_by_patched_functions(model, images, targets):
    """nn.ReLU calls F.relu; nn.ReLU6 calls F.hardtanh."""
    ours = patch.object(F, "relu", lambda x, inplace=False: GuidedReLU.apply(x))
    six = patch.object(F, "hardtanh", lambda x, *args, **kwargs: GuidedAtSix.apply(x))
    with ours, six:
        return backward_from(model, images, targets)


def network_one_by_one(model, images, targets):
    return torch.cat([network_by_patched_forward(model, images[[n]], targets[[n]]) for n in range(len(images))])


def network_by_backward(model, images, targets):
    start = images.detach().clone().requires_grad_()
    hook = lambda module, inputs, output: (output.register_hook(torch.relu), None)[1]  # noqa: E731
    handles = [m.register_forward_hook(hook) for m in relus(model)]
    try:
        scores = model(start)
    finally:
        for handle in handles:
            handle.remove()
    scores.backward(F.one_hot(targets, scores.shape[1]).to(scores.dtype), inputs=[start])
    return start.grad


def network_in_float32(model, images, targets):
    return network_by_tensor_hooks(copy.deepcopy(model).float(), images.float(), targets)


def cosine_by_norms(maps, others):
    a, b = maps.flatten(1), others.flatten(1)
    below = a.norm(dim=1) * b.norm(dim=1)
    return (a * b).sum(1) / torch.where(below > 0, below, 1.0)


def cosine_by_torch(maps, others):
    return F.cosine_similarity(maps.flatten(1), others.flatten(1), dim=1)


def cosine_of_unit_maps(maps, others):
    return (F.normalize(maps.flatten(1), dim=1) * F.normalize(others.flatten(1), dim=1)).sum(dim=1)


def cosine_by_einsum(maps, others):
    product = torch.einsum("nchw,nchw->n", maps, others)
    lengths = maps.square().sum((1, 2, 3)).sqrt() * others.square().sum((1, 2, 3)).sqrt()
    return torch.nan_to_num(product / lengths, nan=0.0)


def cosine_by_loops(maps, others):
    result = torch.zeros(len(maps), dtype=maps.dtype)
    for n, (a, b) in enumerate(zip(maps, others, strict=True)):
        if a.any() and b.any():
            result[n] = torch.dot(a.reshape(-1), b.reshape(-1)) / (torch.linalg.norm(a) * torch.linalg.norm(b))
    return result


@contextmanager
def quiet():
    with np.errstate(invalid="ignore"):
        yield


def cosine_by_numpy(maps, others):
    a, b = (m.numpy().reshape(len(m), -1) for m in (maps, others))
    with quiet():
        return torch.from_numpy(np.nan_to_num((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)))


def cosine_in_float32(maps, others):
    return cosine_by_norms(maps.float(), others.float())


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "guided_backprop.backward_rules": (
        rules_by_masks,
        rules_by_where,
        rules_by_clamp,
        rules_by_autograd,
        rules_by_assignment,
        rules_by_numpy,
        rules_in_float32,
    ),
    "guided_backprop.guided_perceptron": (
        perceptron_by_function,
        perceptron_backwards_by_hand,
        perceptron_by_tensor_hooks,
        perceptron_one_by_one,
        perceptron_by_modules,
        perceptron_in_float32,
    ),
    "guided_backprop.guided_backprop": (
        network_by_tensor_hooks,
        network_by_replaced_outputs,
        network_by_patched_forward,
        network_by_swapped_modules,
        network_by_a_copy,
        network_by_full_backward_hooks,
        network_by_patched_functions,
        network_one_by_one,
        network_by_backward,
        network_in_float32,
    ),
    "guided_backprop.class_insensitivity": (
        cosine_by_norms,
        cosine_by_torch,
        cosine_of_unit_maps,
        cosine_by_einsum,
        cosine_by_loops,
        cosine_by_numpy,
        cosine_in_float32,
    ),
}

"""Right answers to the exercises on LRP, written in different ways."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from cnnviz_ref import _affine
from cnnviz_ref import lrp as published


def share(R, z):
    return torch.where(z == 0, 0.0, R / torch.where(z == 0, 1.0, z))


def stabilised(z, epsilon):
    """z + ε mean|z| sign(z) for z of any shape."""
    size = z.abs().flatten(1).mean(1).view(-1, *[1] * (z.dim() - 1))
    return torch.where(z >= 0, z + epsilon * size, z - epsilon * size)


def affine_of(layer: nn.Module):
    """A layer as the course's own method sees it."""
    if isinstance(layer, nn.Linear):
        return _affine.Affine(F.linear, layer.weight.detach(), layer.bias.detach())
    if isinstance(layer, nn.Conv2d):
        options = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}

        def apply(a, w, b):
            return F.conv2d(a, w, b, **options)

        return _affine.Affine(apply, layer.weight.detach(), layer.bias.detach())
    return _affine.Affine(lambda a, w, b: w * layer(a), torch.ones((), dtype=torch.float64))


# epsilon_rule


def epsilon_by_matrices(a, weight, bias, R, epsilon):
    z = F.linear(a, weight, bias)
    return a * (share(R, stabilised(z, epsilon)) @ weight)


def epsilon_by_contributions(a, weight, bias, R, epsilon):
    q = torch.einsum("ni,ji->nji", a, weight)
    z = q.sum(-1) + bias
    return torch.einsum("nji,nj->ni", q, share(R, stabilised(z, epsilon)))


def epsilon_by_loops(a, weight, bias, R, epsilon):
    result = torch.zeros_like(a)
    for n in range(len(a)):
        z = [sum(a[n, i] * w[i] for i in range(len(w))) + b for w, b in zip(weight, bias, strict=True)]
        s = sum(abs(float(v)) for v in z) / len(z)
        for j, v in enumerate(z):
            below = v + epsilon * s * (1 if v >= 0 else -1)
            for i in range(a.shape[1]):
                result[n, i] += a[n, i] * weight[j, i] / below * R[n, j] if below else 0.0
    return result


def epsilon_by_autograd(a, weight, bias, R, epsilon):
    x = a.clone().requires_grad_()
    z = x @ weight.t() + bias
    s = share(R, stabilised(z, epsilon)).detach()
    (z * s).sum().backward(inputs=[x])
    return a * x.grad


def epsilon_by_numpy(a, weight, bias, R, epsilon):
    a, weight, bias, R = (t.numpy() for t in (a, weight, bias, R))
    z = a @ weight.T + bias
    z = z + epsilon * np.abs(z).mean(axis=1, keepdims=True) * np.where(z < 0, -1, 1)
    return torch.from_numpy(a * (np.divide(R, z, out=np.zeros_like(z), where=z != 0) @ weight))


def epsilon_in_float32(a, weight, bias, R, epsilon):
    return epsilon_by_matrices(a.float(), weight.float(), bias.float(), R.float(), epsilon)


def epsilon_of_the_published_method(a, weight, bias, R, epsilon):
    layer = _affine.Affine(F.linear, weight, bias)
    return published_rule("epsilon_rule")(layer, a, F.linear(a, weight, bias), R, epsilon=epsilon)


def published_rule(name: str) -> Callable:
    """A rule of `cnnviz_ref.lrp`, whose name `cnnviz_ref` gives to the function `lrp`."""
    return published.__globals__[name]


# epsilon_layer


def layer_by_grad(a, layer, R, epsilon):
    x = a.detach().clone().requires_grad_()
    z = layer(x)
    s = share(R, stabilised(z.detach(), epsilon))
    return a * torch.autograd.grad(z, x, s)[0]


def layer_by_a_product(a, layer, R, epsilon):
    x = a.detach().clone().requires_grad_(True)
    z = layer(x)
    s = share(R, stabilised(z, epsilon).detach())
    return (a * torch.autograd.grad((z * s).sum(), [x])[0]).detach()


def layer_by_vjp(a, layer, R, epsilon):
    z, pull = torch.func.vjp(layer, a)
    return (a * pull(share(R, stabilised(z, epsilon)))[0]).detach()


def layer_by_jacobian(a, layer, R, epsilon):
    """The layer as a matrix, one column a unit input."""
    with torch.no_grad():
        z, bias = layer(a), layer(torch.zeros_like(a[:1]))
        units = torch.eye(a[0].numel(), dtype=a.dtype).view(-1, *a.shape[1:])
        matrix = (layer(units) - bias).flatten(1)  # [I J]
    s = share(R, stabilised(z, epsilon)).flatten(1)
    return a * (s @ matrix.T).view_as(a)


def layer_by_transposed_convolution(a, layer, R, epsilon):
    if not isinstance(layer, nn.Conv2d):
        return layer_by_grad(a, layer, R, epsilon)
    with torch.no_grad():
        s = share(R, stabilised(layer(a), epsilon))
        left = [
            n - ((m - 1) * t - 2 * p + k)
            for n, m, t, p, k in zip(
                a.shape[2:], s.shape[2:], layer.stride, layer.padding, layer.kernel_size, strict=True
            )
        ]
        options = {"stride": layer.stride, "padding": layer.padding, "groups": layer.groups}
        return a * F.conv_transpose2d(s, layer.weight, output_padding=left, **options)


def layer_in_float32(a, layer, R, epsilon):
    return layer_by_grad(a.float(), copy.deepcopy(layer).float(), R.float(), epsilon)


def layer_of_the_published_method(a, layer, R, epsilon):
    with torch.no_grad():
        z = layer(a)
    return published_rule("epsilon_rule")(affine_of(layer), a, z, R, epsilon=epsilon)


# z_plus_rule


def z_plus_by_contributions(a, weight, bias, R):
    q = torch.einsum("ni,ji->nji", a, weight).relu()
    return torch.einsum("nji,nj->ni", q, share(R, q.sum(-1) + bias.relu()))


def z_plus_by_four_halves(a, weight, bias, R):
    up, down = a.clamp(min=0), a.clamp(max=0)
    plus, minus = weight.clamp(min=0), weight.clamp(max=0)
    s = share(R, up @ plus.T + down @ minus.T + bias.clamp(min=0))
    return up * (s @ plus) + down * (s @ minus)


def z_plus_by_loops(a, weight, bias, R):
    result = torch.zeros_like(a)
    for n in range(a.shape[0]):
        for j in range(len(weight)):
            q = [max(float(x * w), 0.0) for x, w in zip(a[n], weight[j], strict=True)]
            total = sum(q) + max(float(bias[j]), 0.0)
            for i, part in enumerate(q):
                result[n, i] += part / total * R[n, j] if total > 0 else 0.0
    return result


def z_plus_by_numpy(a, weight, bias, R):
    q = np.maximum(a.numpy()[:, None, :] * weight.numpy()[None], 0)
    z = q.sum(2) + np.maximum(bias.numpy(), 0)
    s = np.divide(R.numpy(), z, out=np.zeros_like(z), where=z > 0)
    return torch.from_numpy((q * s[:, :, None]).sum(1))


def z_plus_in_float32(a, weight, bias, R):
    return z_plus_by_four_halves(a.float(), weight.float(), bias.float(), R.float())


def z_plus_of_the_published_method(a, weight, bias, R):
    layer = _affine.Affine(F.linear, weight, bias)
    return published_rule("alpha_beta")(layer, a, F.linear(a, weight, bias), R, alpha=1.0)


# gamma_layer


def gamma_by_functional_call(a, layer, R, gamma):
    more = {name: (t + gamma * t.relu()).detach() for name, t in layer.named_parameters()}
    x = a.clone().requires_grad_()
    z = functional_call(layer, more, (x,))
    return a * torch.autograd.grad(z, x, share(R, z.detach()))[0]


def gamma_by_a_copy(a, layer, R, gamma):
    other = copy.deepcopy(layer)
    with torch.no_grad():
        other.weight += gamma * other.weight.clamp(min=0)
        other.bias += gamma * other.bias.clamp(min=0)
    x = a.detach().clone().requires_grad_()
    z = other(x)
    (back,) = torch.autograd.grad(z, x, share(R, z.detach()))
    return a * back


def gamma_by_where(a, layer, R, gamma):
    w = torch.where(layer.weight > 0, (1 + gamma) * layer.weight, layer.weight).detach()
    b = torch.where(layer.bias > 0, (1 + gamma) * layer.bias, layer.bias).detach()
    z, pull = torch.func.vjp(lambda x: F.conv2d(x, w, b, layer.stride, layer.padding, 1, layer.groups), a)
    return (a * pull(share(R, z))[0]).detach()


def gamma_by_two_layers(a, layer, R, gamma):
    """z + γ z⁺, and two ways back added up."""

    def plus(x):
        return F.conv2d(x, layer.weight.relu(), layer.bias.relu(), layer.stride, layer.padding, 1, layer.groups)

    z, pull = torch.func.vjp(layer, a)
    z_plus, pull_plus = torch.func.vjp(plus, a)
    s = share(R, z + gamma * z_plus)
    return (a * (pull(s)[0] + gamma * pull_plus(s)[0])).detach()


def gamma_in_float32(a, layer, R, gamma):
    return gamma_by_a_copy(a.float(), copy.deepcopy(layer).float(), R.float(), gamma)


def gamma_of_the_published_method(a, layer, R, gamma):
    with torch.no_grad():
        z = layer(a)
    return published_rule("gamma_rule")(affine_of(layer), a, z, R, gamma=gamma)


# lrp


def lrp_by_lists(model, images, targets, epsilon, gamma):
    values = [images]
    with torch.no_grad():
        for layer in model:
            values.append(layer(values[-1].clone()))
    y = values[-1]
    R = y * F.one_hot(targets, y.shape[1])
    for k in reversed(range(len(model))):
        a, layer = values[k], model[k]
        if isinstance(layer, nn.Conv2d):
            R = gamma_by_where(a, layer, R, gamma)
        elif isinstance(layer, (nn.Linear, nn.AvgPool2d, nn.AdaptiveAvgPool2d)):
            R = layer_by_grad(a, layer, R, epsilon)
        elif isinstance(layer, nn.Flatten):
            R = R.view_as(a)
        elif isinstance(layer, nn.MaxPool2d):
            x = a.clone().requires_grad_()
            R = torch.autograd.grad(layer(x), x, R)[0]
    return R


def lrp_by_recursion(model, images, targets, epsilon, gamma):
    def through(layers, a):
        if not layers:
            return torch.zeros_like(a).scatter_(1, targets[:, None], a.gather(1, targets[:, None]))
        layer, *rest = layers
        with torch.no_grad():
            z = layer(a.clone())
        R = through(rest, z)
        match layer:
            case nn.Conv2d():
                return gamma_by_a_copy(a, layer, R, gamma)
            case nn.Linear() | nn.AvgPool2d() | nn.AdaptiveAvgPool2d():
                return layer_by_vjp(a, layer, R, epsilon)
            case nn.ReLU():
                return R
            case _:
                return torch.func.vjp(layer, a)[1](R)[0].detach()

    return through(list(model), images)


class _Rule(torch.autograd.Function):
    """A layer whose backward pass is a rule."""

    @staticmethod
    def forward(ctx, a, layer, rule):
        ctx.save_for_backward(a)
        ctx.layer, ctx.rule = layer, rule
        return layer(a.clone())

    @staticmethod
    def backward(ctx, R):
        return ctx.rule(ctx.saved_tensors[0].detach(), ctx.layer, R), None, None


def lrp_by_autograd_functions(model, images, targets, epsilon, gamma):
    rules = {
        nn.Conv2d: lambda a, layer, R: gamma_by_functional_call(a, layer, R, gamma),
        nn.ReLU: lambda a, layer, R: R,
        **dict.fromkeys(
            (nn.Linear, nn.AvgPool2d, nn.AdaptiveAvgPool2d), lambda a, layer, R: layer_by_grad(a, layer, R, epsilon)
        ),
    }
    x = images.clone().requires_grad_()
    a = x
    for layer in model:
        a = _Rule.apply(a, layer, _grad_enabled(rules[type(layer)])) if type(layer) in rules else layer(a)
    y = a[torch.arange(len(targets)), targets]
    return torch.autograd.grad(y, x, y.detach())[0]


def _grad_enabled(rule):
    def enabled(*arguments):
        with torch.enable_grad():
            return rule(*arguments)

    return enabled


def lrp_one_by_one(model, images, targets, epsilon, gamma):
    rows = [lrp_by_lists(model, images[[n]], targets[[n]], epsilon, gamma) for n in range(len(images))]
    return torch.cat(rows)


def lrp_of_the_published_method(model, images, targets, epsilon, gamma):
    """`cnnviz_ref.lrp` with the two rules chosen by the kind of layer."""
    epsilon_rule, gamma_rule = published_rule("epsilon_rule"), published_rule("gamma_rule")

    def spread(layer, a, z, R):
        if layer.w.ndim == 4:
            return gamma_rule(layer, a, z, R, gamma=gamma)
        return epsilon_rule(layer, a, z, R, epsilon=epsilon)

    return published.__globals__["propagated"](model, images, targets, spread, _affine.Merge())


def lrp_in_float32(model, images, targets, epsilon, gamma):
    return lrp_by_lists(copy.deepcopy(model).float(), images.float(), targets, epsilon, gamma)


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "lrp.epsilon_rule": (
        epsilon_by_matrices,
        epsilon_by_contributions,
        epsilon_by_loops,
        epsilon_by_autograd,
        epsilon_by_numpy,
        epsilon_in_float32,
        epsilon_of_the_published_method,
    ),
    "lrp.epsilon_layer": (
        layer_by_grad,
        layer_by_a_product,
        layer_by_vjp,
        layer_by_jacobian,
        layer_by_transposed_convolution,
        layer_in_float32,
        layer_of_the_published_method,
    ),
    "lrp.z_plus_rule": (
        z_plus_by_contributions,
        z_plus_by_four_halves,
        z_plus_by_loops,
        z_plus_by_numpy,
        z_plus_in_float32,
        z_plus_of_the_published_method,
    ),
    "lrp.gamma_layer": (
        gamma_by_functional_call,
        gamma_by_a_copy,
        gamma_by_where,
        gamma_by_two_layers,
        gamma_in_float32,
        gamma_of_the_published_method,
    ),
    "lrp.lrp": (
        lrp_by_lists,
        lrp_by_recursion,
        lrp_by_autograd_functions,
        lrp_one_by_one,
        lrp_of_the_published_method,
        lrp_in_float32,
    ),
}

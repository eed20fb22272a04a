"""Right answers to the exercises on DeepLIFT, written in different ways."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F


def linear_by_broadcast(x, x0, weight):
    dx = x - x0
    return weight * dx[:, None, :]


def linear_by_einsum(x, x0, weight):
    return torch.einsum("kd,nd->nkd", weight, x - x0)


def linear_by_two_products(x, x0, weight):
    return weight[None] * x.unsqueeze(1) - weight[None] * x0.unsqueeze(1)


def linear_by_loops(x, x0, weight):
    C = torch.zeros(len(x), *weight.shape, dtype=x.dtype)
    for n in range(len(x)):
        for k in range(len(weight)):
            for i in range(x.shape[1]):
                C[n, k, i] = weight[k, i] * (x[n, i] - x0[n, i])
    return C


def linear_by_diagonal(x, x0, weight):
    return weight @ torch.diag_embed(x - x0)


def linear_by_numpy(x, x0, weight):
    return torch.from_numpy(weight.numpy()[None] * (x.numpy() - x0.numpy())[:, None])


def linear_in_float32(x, x0, weight):
    return linear_by_broadcast(x.float(), x0.float(), weight.float())


def rescale_by_where(z, z0):
    dz, dy = z - z0, z.relu() - z0.relu()
    near = dz.abs() < 1e-12
    return torch.where(near, (z > 0).to(z.dtype), dy / torch.where(near, 1.0, dz))


def rescale_by_nan(z, z0):
    m = (F.relu(z) - F.relu(z0)) / (z - z0)
    return torch.where(m.isnan(), torch.heaviside(z, torch.zeros_like(z)), m)


def rescale_by_mask(z, z0):
    m = (z > 0).to(z.dtype)
    moved = z != z0
    m[moved] = (z[moved].clamp(min=0) - z0[moved].clamp(min=0)) / (z[moved] - z0[moved])
    return m


def rescale_by_cases(z, z0):
    """1 above the corner, 0 below it, and across it the upper end's share of the way."""
    upper, lower = torch.maximum(z, z0), torch.minimum(z, z0)
    m = torch.zeros_like(z)
    m[lower > 0] = 1.0
    across = (lower <= 0) & (upper > 0)
    m[across] = upper[across] / (upper - lower)[across]
    return m


def rescale_by_loops(z, z0):
    m = []
    for a, b in zip(z.flatten().tolist(), z0.flatten().tolist(), strict=True):
        m.append(float(a > 0) if abs(a - b) < 1e-9 else (max(a, 0) - max(b, 0)) / (a - b))
    return torch.tensor(m, dtype=z.dtype).view(z.shape)


def rescale_by_autograd(z, z0):
    leaf = z.detach().clone().requires_grad_()
    (derivative,) = torch.autograd.grad(leaf.relu().sum(), leaf)
    quotient = (z.relu() - z0.relu()) / (z - z0)
    return torch.where(z == z0, derivative, quotient)


def rescale_by_numpy(z, z0):
    a, b = z.numpy(), z0.numpy()
    start = (a > 0).astype(a.dtype)
    return torch.from_numpy(np.divide(np.maximum(a, 0) - np.maximum(b, 0), a - b, out=start, where=a != b))


def rescale_in_float32(z, z0):
    return rescale_by_where(z.float(), z0.float())


def network_of(linear, rescale) -> Callable:
    def deeplift_two_layers(x, x0, targets, weight1, bias1, weight2):
        m = rescale(F.linear(x, weight1, bias1), F.linear(x0, weight1, bias1))
        out = weight2[targets] * m
        return (out[:, :, None] * linear(x, x0, weight1)).sum(dim=1)

    deeplift_two_layers.__name__ = f"network_of_{linear.__name__}_{rescale.__name__}"
    return deeplift_two_layers


def network_by_matrices(x, x0, targets, weight1, bias1, weight2):
    m = rescale_by_where(x @ weight1.T + bias1, x0 @ weight1.T + bias1)
    return torch.einsum("nk,nk,kd,nd->nd", weight2[targets], m, weight1, x - x0)


def network_row_by_row(x, x0, targets, weight1, bias1, weight2):
    rows = []
    for a, a0, c in zip(x, x0, targets.tolist(), strict=True):
        m = rescale_by_cases(weight1 @ a + bias1, weight1 @ a0 + bias1)
        rows.append((weight2[c] * m) @ weight1 * (a - a0))
    return torch.stack(rows)


def network_by_autograd(x, x0, targets, weight1, bias1, weight2):
    """The ReLU replaced by the line through both of its points; its gradient is the multiplier."""
    m = rescale_by_where(x @ weight1.T + bias1, x0 @ weight1.T + bias1)
    pixels = x.detach().clone().requires_grad_()
    y = (m * (pixels @ weight1.T + bias1)) @ weight2.T
    (multipliers,) = torch.autograd.grad(y.gather(1, targets[:, None]).sum(), pixels)
    return multipliers * (x - x0)


def network_in_float32(x, x0, targets, weight1, bias1, weight2):
    x, x0, weight1, bias1, weight2 = (v.float() for v in (x, x0, weight1, bias1, weight2))
    return network_by_matrices(x, x0, targets, weight1, bias1, weight2)


def gap_by_flatten(contributions, scores, baseline_scores):
    return contributions.flatten(1).sum(dim=1) - (scores - baseline_scores)


def gap_by_axes(contributions, scores, baseline_scores):
    return contributions.sum(dim=tuple(range(1, contributions.ndim))) - scores + baseline_scores


def gap_by_loops(contributions, scores, baseline_scores):
    return torch.stack([C.sum() - y + y0 for C, y, y0 in zip(contributions, scores, baseline_scores, strict=True)])


def gap_by_einsum(contributions, scores, baseline_scores):
    return torch.einsum("n...->n", contributions) - torch.sub(scores, baseline_scores)


def gap_by_numpy(contributions, scores, baseline_scores):
    total = contributions.numpy().reshape(len(scores), -1).sum(axis=1)
    return torch.from_numpy(total) - (scores - baseline_scores)


def gap_in_float32(contributions, scores, baseline_scores):
    return gap_by_flatten(contributions.float(), scores.float(), baseline_scores.float())


def reveal_by_four_values(positive, negative, z0):
    start, plus, minus, end = (F.relu(z) for z in (z0, z0 + positive, z0 + negative, z0 + positive + negative))
    y_plus = ((plus - start) + (end - minus)) / 2
    y_minus = ((minus - start) + (end - plus)) / 2
    m_plus = y_plus / torch.where(positive == 0, 1.0, positive)
    m_minus = y_minus / torch.where(negative == 0, 1.0, negative)
    return m_plus, m_minus


def reveal_by_one_function(positive, negative, z0):
    def one(own, other):
        effect = 0.5 * (torch.relu(z0 + own) - torch.relu(z0))
        effect = effect + 0.5 * (torch.relu(z0 + other + own) - torch.relu(z0 + other))
        return torch.nan_to_num(effect / own, nan=0.0)

    return one(positive, negative), one(negative, positive)


def reveal_by_rescale(positive, negative, z0):
    """Each bracket over its own difference is a Rescale multiplier."""

    def one(own, other):
        m = (rescale_by_where(z0 + own, z0) + rescale_by_where(z0 + other + own, z0 + other)) / 2
        return m * (own != 0)

    return one(positive, negative), one(negative, positive)


def reveal_by_loops(positive, negative, z0):
    m_plus, m_minus = torch.zeros_like(z0), torch.zeros_like(z0)
    for place in np.ndindex(*z0.shape):
        p, n, z = positive[place].item(), negative[place].item(), z0[place].item()
        start, plus, minus, end = max(z, 0), max(z + p, 0), max(z + n, 0), max(z + p + n, 0)
        if p:
            m_plus[place] = (plus - start + end - minus) / (2 * p)
        if n:
            m_minus[place] = (minus - start + end - plus) / (2 * n)
    return m_plus, m_minus


def reveal_by_remainder(positive, negative, z0):
    """The second effect is what the first leaves of Δy."""
    f = torch.relu
    dy = f(z0 + positive + negative) - f(z0)
    y_plus = (f(z0 + positive) - f(z0) + f(z0 + positive + negative) - f(z0 + negative)) / 2
    safe = (v + (v == 0) for v in (positive, negative))
    return tuple(y / v for y, v in zip((y_plus, dy - y_plus), safe, strict=True))


def reveal_in_float32(positive, negative, z0):
    return reveal_by_four_values(positive.float(), negative.float(), z0.float())


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "deeplift.linear_contributions": (
        linear_by_broadcast,
        linear_by_einsum,
        linear_by_two_products,
        linear_by_loops,
        linear_by_diagonal,
        linear_by_numpy,
        linear_in_float32,
    ),
    "deeplift.rescale_multiplier": (
        rescale_by_where,
        rescale_by_nan,
        rescale_by_mask,
        rescale_by_cases,
        rescale_by_loops,
        rescale_by_autograd,
        rescale_by_numpy,
        rescale_in_float32,
    ),
    "deeplift.deeplift_two_layers": (
        network_of(linear_by_broadcast, rescale_by_where),
        network_of(linear_by_loops, rescale_by_loops),
        network_of(linear_by_einsum, rescale_by_numpy),
        network_by_matrices,
        network_row_by_row,
        network_by_autograd,
        network_in_float32,
    ),
    "deeplift.completeness_gap": (
        gap_by_flatten,
        gap_by_axes,
        gap_by_loops,
        gap_by_einsum,
        gap_by_numpy,
        gap_in_float32,
    ),
    "deeplift.revealcancel_multipliers": (
        reveal_by_four_values,
        reveal_by_one_function,
        reveal_by_rescale,
        reveal_by_loops,
        reveal_by_remainder,
        reveal_in_float32,
    ),
}

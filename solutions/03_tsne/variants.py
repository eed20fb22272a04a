"""Right answers to the exercises on t-SNE, written in different ways."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import rel_entr
from sklearn.metrics import pairwise_distances

# 1. squared_distances


def by_broadcasting(X):
    return (X[:, None] - X[None]).pow(2).sum(-1)


def by_cdist(X):
    return torch.cdist(X, X) ** 2


def by_expanded_square(X):
    """Moved to 0 first, where it loses no precision."""
    X = X - X[0]
    norms = (X * X).sum(dim=1)
    return (norms[:, None] + norms[None, :] - 2 * X @ X.T).clamp(min=0)


def by_two_loops(X):
    N = len(X)
    d = torch.zeros(N, N, dtype=X.dtype)
    for i in range(N):
        for j in range(N):
            d[i, j] = torch.sum((X[i] - X[j]) ** 2)
    return d


def by_columns(X):
    d = 0
    for column in X.unbind(dim=1):
        d = d + torch.subtract(column[:, None], column) ** 2
    return d


def by_vmap(X):
    one = torch.vmap(lambda a, b: torch.dot(a - b, a - b), in_dims=(None, 0))
    return torch.vmap(one, in_dims=(0, None))(X, X)


def by_sklearn(X):
    return torch.from_numpy(pairwise_distances(X.numpy(), metric="sqeuclidean"))


# 2. joint_probabilities


def both(p):
    return p, (p + p.T) / (2 * p.shape[0])


def joint_by_log2_bounds(distances, perplexity):
    N = len(distances)
    d = distances.clone()
    d.fill_diagonal_(math.inf)
    d = d - d.amin(dim=1, keepdim=True)
    low, high = torch.full((N, 1), -40.0, dtype=d.dtype), torch.full((N, 1), 40.0, dtype=d.dtype)
    for _ in range(60):
        middle = (low + high) / 2
        w = torch.exp(-d * 2**middle)
        p = w / w.sum(dim=1, keepdim=True)
        H = torch.special.entr(p).sum(dim=1, keepdim=True) / math.log(2)
        too_wide = 2.0**H - perplexity > 0
        low, high = torch.where(too_wide, middle, low), torch.where(too_wide, high, middle)
    return both(p)


def joint_by_doubling(distances, perplexity):
    """Row by row, β doubled or halved until it is caught between two bounds, as in the paper's own code."""
    N = len(distances)
    p = torch.zeros_like(distances)
    for i in range(N):
        others = [j for j in range(N) if j != i]
        d = distances[i, others]
        beta, low, high = 1.0, -math.inf, math.inf
        for _ in range(200):
            w = torch.exp(-beta * (d - d.min()))
            row = w / w.sum()
            H = -(row[row > 0] * row[row > 0].log()).sum()
            if H.exp() > perplexity:
                low = beta
                beta = beta * 2 if high == math.inf else (beta + high) / 2
            else:
                high = beta
                beta = beta / 2 if low == -math.inf else (beta + low) / 2
        p[i, others] = row
    return both(p)


def joint_by_sigma(distances, perplexity):
    """σ instead of β: a larger σ is a wider row."""
    N = len(distances)
    off = ~torch.eye(N, dtype=torch.bool)
    low, high = torch.full((N,), 1e-3).double(), torch.full((N,), 1e3).double()
    for _ in range(80):
        sigma = (low * high).sqrt()
        logits = (-distances / (2 * sigma[:, None] ** 2)).masked_fill(~off, -math.inf)
        p = logits.softmax(dim=1)
        bits = -torch.where(p > 0, p * p.clamp(min=1e-300).log2(), 0.0).sum(1)
        narrow = bits < math.log2(perplexity)
        low[narrow] = sigma[narrow]
        high[~narrow] = sigma[~narrow]
    P = p / (2 * N)
    return p, P + P.T


def joint_by_brentq(distances, perplexity):
    D = distances.numpy()
    p = np.zeros_like(D)
    for i in range(len(D)):
        keep = np.arange(len(D)) != i
        d = D[i, keep] - D[i, keep].min()

        def row(log_beta, d=d):
            w = np.exp(-np.exp(log_beta) * d)
            return w / w.sum()

        def excess(log_beta, row=row):
            q = row(log_beta)
            return 2.0 ** -np.sum(q * np.log2(np.maximum(q, 1e-300))) - perplexity

        p[i, keep] = row(brentq(excess, -20, 20, xtol=1e-14))
    return both(torch.from_numpy(p))


def joint_by_entropy_formula(distances, perplexity):
    """H = ln Z + β Σ p d, without a logarithm of p."""
    N = len(distances)
    d = distances + torch.diag(torch.full((N,), math.inf, dtype=distances.dtype))
    d = (d - d.min(dim=1, keepdim=True).values).nan_to_num(posinf=1e6)
    low, high = torch.full((N, 1), math.log(1e-6)).double(), torch.full((N, 1), math.log(1e6)).double()
    for _ in range(70):
        beta = ((low + high) / 2).exp()
        w = torch.exp(-beta * d).fill_diagonal_(0)
        Z = w.sum(1, keepdim=True)
        H = Z.log() + beta * (w * d).sum(1, keepdim=True) / Z
        low = torch.where(H.exp() > perplexity, beta.log(), low)
        high = torch.where(H.exp() > perplexity, high, beta.log())
    return both(w / Z)


# 3. low_dimensional_affinities


def q_by_fill_diagonal(Y):
    w = 1 / (1 + torch.cdist(Y, Y).pow(2))
    w.fill_diagonal_(0)
    return w / w.sum()


def q_by_subtracting_the_diagonal(Y):
    w = torch.reciprocal(1 + by_broadcasting(Y))
    return (w - torch.diag_embed(w.diagonal())) / (w.sum() - len(Y))


def q_by_log_softmax(Y):
    logits = -torch.log1p(by_broadcasting(Y))
    logits = logits.masked_fill(torch.eye(len(Y), dtype=torch.bool), -math.inf)
    return logits.flatten().softmax(dim=0).view_as(logits)


def q_by_pairs(Y):
    w = torch.zeros(len(Y), len(Y), dtype=Y.dtype)
    for i, j in itertools.combinations(range(len(Y)), 2):
        w[i, j] = w[j, i] = 1 / (1 + (Y[i, 0] - Y[j, 0]) ** 2 + (Y[i, 1] - Y[j, 1]) ** 2)
    return w / (2 * w.triu().sum())


def q_by_complex_numbers(Y):
    z = torch.view_as_complex(Y.contiguous())
    w = (1 + (z[:, None] - z).abs() ** 2) ** -1.0 * (1 - torch.eye(len(Y), dtype=Y.dtype))
    return torch.nn.functional.normalize(w.flatten(), p=1, dim=0).reshape(len(Y), len(Y))


# 4. kl_and_gradient


def g_by_arrows(P, Y):
    arrows = Y[:, None] - Y[None]
    w = 1 / (1 + arrows.square().sum(2))
    w.fill_diagonal_(0)
    Q = w / w.sum()
    C = (torch.special.xlogy(P, P) - torch.special.xlogy(P, Q)).sum()
    return C, 4 * (((P - Q) * w)[:, :, None] * arrows).sum(1)


def g_by_laplacian(P, Y):
    w = 1 / (1 + torch.cdist(Y, Y) ** 2) - torch.eye(len(Y), dtype=Y.dtype)
    Q = w / w.sum()
    M = (P - Q) * w
    some = P > 0
    return (P[some] * torch.log(P[some] / Q[some])).sum(), 4 * (torch.diag(M.sum(1)) - M) @ Y


def g_by_loops(P, Y):
    Q = q_by_pairs(Y)
    C, g = 0.0, torch.zeros_like(Y)
    for i in range(len(Y)):
        for j in range(len(Y)):
            if i == j:
                continue
            if P[i, j] > 0:
                C += float(P[i, j]) * math.log(P[i, j] / Q[i, j])
            g[i] += 4 * (P[i, j] - Q[i, j]) * (Y[i] - Y[j]) / (1 + (Y[i] - Y[j]) @ (Y[i] - Y[j]))
    return C, g


def g_by_autograd_of_the_whole_cost(P, Y):
    """Σ p ln(1 + d) + ln Z has the formula's gradient whatever P sums to."""
    leaf = Y.detach().clone().requires_grad_()
    w = 1 / (1 + by_broadcasting(leaf))
    Z = w.sum() - len(Y)
    (g,) = torch.autograd.grad((P * (1 + by_broadcasting(leaf)).log()).sum() + Z.log(), leaf)
    Q = q_by_log_softmax(Y)
    return torch.nan_to_num(P * (P / Q).log(), nan=0.0).sum(), g.detach()


def g_by_numpy(P, Y):
    p, y = P.numpy(), Y.numpy()
    w = 1 / (1 + ((y[:, None] - y[None]) ** 2).sum(2))
    np.fill_diagonal(w, 0)
    q = w / w.sum()
    cost = rel_entr(p, q)[~np.eye(len(p), dtype=bool)].sum()
    g = 4 * np.einsum("ij,ijk->ik", (p - q) * w, y[:, None] - y[None])
    return torch.tensor(cost), torch.from_numpy(g)


def g_by_two_forces(P, Y):
    """Attraction and repulsion apart."""
    w = (1 + by_cdist(Y)).reciprocal().fill_diagonal_(0)
    Q = w / w.sum()
    pull = torch.stack([(P * w * (y[:, None] - y)).sum(1) for y in Y.T], dim=1)
    push = torch.stack([(Q * w * (y[:, None] - y)).sum(1) for y in Y.T], dim=1)
    cost = torch.nn.functional.kl_div((Q + torch.eye(len(Y), dtype=Y.dtype)).log(), P, reduction="sum")
    return cost, 4 * (pull - push)


# 5. descend: each with a gradient of its own


def descend_by_a_list(P, start, *, steps, lr, momentum):
    Y, V, path = start, torch.zeros_like(start), [start]
    for _ in range(steps):
        V = momentum * V - lr * g_by_arrows(P, Y)[1]
        Y = Y + V
        path.append(Y)
    return torch.stack(path)


def descend_into_a_tensor(P, start, *, steps, lr, momentum):
    path = start.new_empty(steps + 1, *start.shape)
    path[0] = start
    V = 0.0
    for t in range(steps):
        V = momentum * V - lr * g_by_laplacian(P, path[t])[1]
        path[t + 1] = path[t] + V
    return path


def descend_by_sgd(P, start, *, steps, lr, momentum):
    Y = start.clone().requires_grad_()
    optimizer = torch.optim.SGD([Y], lr=lr, momentum=momentum)
    path = [start.clone()]
    for _ in range(steps):
        Y.grad = g_by_two_forces(P, Y.detach())[1]
        optimizer.step()
        path.append(Y.detach().clone())
    return torch.stack(path)


def descend_by_the_last_step(P, start, *, steps, lr, momentum):
    """Momentum without V: it is Y_t - Y_(t-1)."""
    path = [start, start]
    for _ in range(steps):
        path.append(path[-1] + momentum * (path[-1] - path[-2]) - lr * g_by_arrows(P, path[-1])[1])
    return torch.stack(path[1:])


def descend_in_place_on_copies(P, start, *, steps, lr, momentum):
    Y, V = start.clone(), torch.zeros_like(start)
    path = [Y.clone()]
    for _ in range(steps):
        V.mul_(momentum).sub_(g_by_arrows(P, Y)[1], alpha=lr)
        Y += V
        path.append(Y.clone())
    return torch.stack(path)


def descend_by_recursion(P, start, *, steps, lr, momentum):
    def onward(Y, V, left):
        if left == 0:
            return [Y]
        V = momentum * V - lr * g_by_laplacian(P, Y)[1]
        return [Y, *onward(Y + V, V, left - 1)]

    return torch.stack(onward(start, torch.zeros_like(start), steps))


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "tsne.squared_distances": (
        by_broadcasting,
        by_cdist,
        by_expanded_square,
        by_two_loops,
        by_columns,
        by_vmap,
        by_sklearn,
    ),
    "tsne.joint_probabilities": (
        joint_by_log2_bounds,
        joint_by_doubling,
        joint_by_sigma,
        joint_by_brentq,
        joint_by_entropy_formula,
    ),
    "tsne.low_dimensional_affinities": (
        q_by_fill_diagonal,
        q_by_subtracting_the_diagonal,
        q_by_log_softmax,
        q_by_pairs,
        q_by_complex_numbers,
    ),
    "tsne.kl_and_gradient": (
        g_by_arrows,
        g_by_laplacian,
        g_by_loops,
        g_by_autograd_of_the_whole_cost,
        g_by_numpy,
        g_by_two_forces,
    ),
    "tsne.descend": (
        descend_by_a_list,
        descend_into_a_tensor,
        descend_by_sgd,
        descend_by_the_last_step,
        descend_in_place_on_copies,
        descend_by_recursion,
    ),
}

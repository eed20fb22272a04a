"""Wrong answers to the exercises on t-SNE, as students write them."""

from __future__ import annotations

import math

import torch

from cnnviz_ref.tsne_parts import squared_distances


def differences(Y):
    return Y[:, None] - Y[None]


def squares(Y):
    return differences(Y).square().sum(2)


def off_diagonal(square):
    return square.clone().fill_diagonal_(0)


def student(d):
    return off_diagonal(1 / (1 + d))


def affinities(Y):
    return _affinities(student(squares(Y)))


def divergence(P, Q):
    return (torch.special.xlogy(P, P) - torch.special.xlogy(P, Q)).sum()


def gradient(P, Y, Q=None):
    M = (P - (affinities(Y) if Q is None else Q)) * student(squares(Y))
    return 4 * (M[..., None] * differences(Y)).sum(1)


def moved(P, start, steps, step):
    """The path, where `step(Y, V, gradient)` gives the next Y and V."""
    path, V = [start], torch.zeros_like(start)
    for _ in range(steps):
        Y, V = step(path[-1], V, gradient(P, path[-1]))
        path.append(Y)
    return torch.stack(path)


def rolled(P, start, steps, lr, momentum):
    def step(Y, V, g):
        V = momentum * V - lr * g
        return Y + V, V

    return moved(P, start, steps, step)


def _cost(P, Y):
    return float(divergence(P, affinities(Y)))


def distances_by_the_expanded_square(X):
    norms = X.square().sum(dim=1)
    return (norms[:, None] + norms - 2 * X @ X.T).clamp(min=0)


def distances_kept_from_zero(X):
    return squared_distances(X).clamp(min=1e-2)


def distances_of_the_upper_triangle(X):
    return squared_distances(X).triu()


def distances_of_centred_rows(X):
    return squared_distances(X - X.mean(dim=1, keepdim=True))


def distances_in_units_of_the_spread(X):
    return squared_distances(X / X.std(dim=0, keepdim=True))


def distances_of_rounded_rows(X):
    return squared_distances(X.to(torch.float16).to(X.dtype))


def _until_c_rises(P, start, steps, lr, momentum, *, keep):
    path = [start]
    for Y in rolled(P, start, steps, lr, momentum)[1:]:
        if _cost(P, Y) > _cost(P, path[-1]):
            path += [Y] if keep else []
            break
        path.append(Y)
    return torch.stack(path + path[-1:] * (steps + 1 - len(path)))


def descent_that_stops_before_c_rises(P, start, *, steps, lr, momentum):
    return _until_c_rises(P, start, steps, lr, momentum, keep=False)


def descent_that_stops_when_c_has_risen(P, start, *, steps, lr, momentum):
    return _until_c_rises(P, start, steps, lr, momentum, keep=True)


def descent_that_halves_the_step_when_c_rises(P, start, *, steps, lr, momentum):
    def step(Y, V, g):
        nonlocal lr
        V = momentum * V - lr * g
        if _cost(P, Y + V) > _cost(P, Y):
            lr = lr / 2
        return Y + V, V

    return moved(P, start, steps, step)


def descent_with_a_clipped_gradient(P, start, *, steps, lr, momentum):
    def step(Y, V, g):
        V = momentum * V - lr * g.clamp(-0.2, 0.2)
        return Y + V, V

    return moved(P, start, steps, step)


def descent_with_a_centred_plane(P, start, *, steps, lr, momentum):
    path = rolled(P, start, steps, lr, momentum)
    return torch.cat([path[:1], path[1:] - path[1:].mean(dim=1, keepdim=True)])


def descent_with_momentum_from_the_second_step(P, start, *, steps, lr, momentum):
    steps_done = 0

    def step(Y, V, g):
        nonlocal steps_done
        steps_done += 1
        V = (momentum if steps_done > 2 else 0.0) * V - lr * g
        return Y + V, V

    return moved(P, start, steps, step)


def _conditional(d, perplexity, *, steps=60, close=0.0, epsilon=0.0):
    off = ~torch.eye(len(d), dtype=torch.bool)
    least = 0.0 if epsilon else d.masked_fill(~off, torch.inf).amin(dim=1, keepdim=True)
    low = d.new_full((len(d), 1), -40.0)
    high = -low
    for _ in range(steps):
        middle = (low + high) / 2
        weights = (torch.exp(-(d - least) * 2**middle) + epsilon).masked_fill(~off, 0)
        p = weights / weights.sum(dim=1, keepdim=True)
        excess = torch.special.entr(p).sum(dim=1, keepdim=True) - math.log(perplexity)
        if (excess.abs() < close).all():
            break
        low, high = torch.where(excess > 0, middle, low), torch.where(excess > 0, high, middle)
    return p, (p + p.T) / (2 * len(p))


def joint_until_nearly_reached(distances, perplexity):
    return _conditional(distances, perplexity, close=1e-5)


def joint_by_twenty_steps(distances, perplexity):
    return _conditional(distances, perplexity, steps=20)


def joint_of_a_whole_perplexity(distances, perplexity):
    return _conditional(distances, round(perplexity))


def joint_by_an_epsilon(distances, perplexity):
    return _conditional(distances, perplexity, epsilon=1e-12)


def joint_of_distances_kept_from_zero(distances, perplexity):
    return _conditional(distances.clamp(min=1e-3), perplexity)


def _affinities(weights):
    return weights / weights.sum()


def _kl(P, Q, Y):
    return divergence(P, Q), gradient(P, Y)


def _kl_with(epsilon):
    return lambda P, Y: (torch.special.xlogy(P, (P + epsilon) / (affinities(Y) + epsilon)).sum(), gradient(P, Y))


def kl_by_unit_arrows(P, Y):
    far = squares(Y).sqrt()
    w = student(squares(Y))
    M = ((P - affinities(Y)) * w).fill_diagonal_(0)
    arrows = differences(Y) / (far + torch.eye(len(Y)))[..., None] * far[..., None]
    return divergence(P, affinities(Y)), 4 * (M[..., None] * arrows).sum(1)


def kl_of_pairs_with_p(P, Y):
    Q = torch.where(P > 0, affinities(Y), 0)
    return divergence(P, affinities(Y)), gradient(P, Y, Q)


def descent_with_a_clipped_norm(P, start, *, steps, lr, momentum):
    def step(Y, V, g):
        V = momentum * V - lr * g / g.norm().clamp(min=1)
        return Y + V, V

    return moved(P, start, steps, step)


def descent_that_stops_below_a_thousandth(P, start, *, steps, lr, momentum):
    def step(Y, V, g):
        V = momentum * V - lr * g
        return (Y, 0 * V) if g.norm() < 1e-3 else (Y + V, V)

    return moved(P, start, steps, step)


WRONG = {
    "tsne.squared_distances": (
        distances_kept_from_zero,
        distances_of_the_upper_triangle,
        distances_of_centred_rows,
        distances_in_units_of_the_spread,
        distances_of_rounded_rows,
    ),
    "tsne.joint_probabilities": (
        joint_until_nearly_reached,
        joint_by_twenty_steps,
        joint_of_a_whole_perplexity,
        joint_by_an_epsilon,
        joint_of_distances_kept_from_zero,
    ),
    "tsne.low_dimensional_affinities": (
        lambda Y: _affinities(student(squares(Y).clamp(min=1e-2))),
        lambda Y: _affinities(student(squares(Y).clamp(max=100))),
        lambda Y: _affinities(off_diagonal(student(squares(Y)).clamp(min=1e-5))),
        lambda Y: student(squares(Y)) / (student(squares(Y)).sum() + 1e-12),
        lambda Y: _affinities(student(squares(Y / Y.std()))),
    ),
    "tsne.kl_and_gradient": (
        _kl_with(1e-3),
        _kl_with(1e-8),
        lambda P, Y: _kl(P, affinities(Y).clamp(min=1e-5), Y),
        kl_by_unit_arrows,
        kl_of_pairs_with_p,
    ),
    "tsne.descend": (
        descent_with_a_clipped_norm,
        descent_that_stops_below_a_thousandth,
        descent_that_stops_before_c_rises,
        descent_that_stops_when_c_has_risen,
        descent_that_halves_the_step_when_c_rises,
        descent_with_a_clipped_gradient,
        descent_with_a_centred_plane,
        descent_with_momentum_from_the_second_step,
    ),
}

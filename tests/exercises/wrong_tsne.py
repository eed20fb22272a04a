"""Wrong answers to the exercises on t-SNE, as students write them."""

from __future__ import annotations

import torch

from autograder.exercises.tsne_descent_misconceptions import moved, rolled
from autograder.exercises.tsne_fixtures import _cost
from cnnviz_ref.tsne_parts import squared_distances


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


WRONG = {
    "tsne.squared_distances": (
        distances_kept_from_zero,
        distances_of_the_upper_triangle,
        distances_of_centred_rows,
        distances_in_units_of_the_spread,
        distances_of_rounded_rows,
    ),
    "tsne.descend": (
        descent_that_stops_before_c_rises,
        descent_that_stops_when_c_has_risen,
        descent_that_halves_the_step_when_c_rises,
        descent_with_a_clipped_gradient,
        descent_with_a_centred_plane,
        descent_with_momentum_from_the_second_step,
    ),
}

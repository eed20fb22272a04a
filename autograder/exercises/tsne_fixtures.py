"""Inputs and laws of lesson 3, t-SNE: small float64 point sets on which every known mistake shows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Generator, Tensor

from autograder.exercises.tsne_descent_misconceptions import rolled
from autograder.exercises.tsne_gradient_misconceptions import gradient
from autograder.exercises.tsne_joint_misconceptions import conditional
from autograder.records import Arrays, Call
from cnnviz_ref.tsne_parts import (
    conditional_probabilities,
    joint_probabilities,
    low_dimensional_affinities,
    squared_distances,
)


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def _relative(got: np.ndarray, want: np.ndarray | float) -> float:
    want = np.broadcast_to(want, got.shape)
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


# 1. squared_distances


def features(generator: Generator, n: int, d: int) -> Call:
    """n rows whose columns have unlike means and spreads, and no row of length 1."""
    scales = 0.5 + 1.5 * torch.rand(d, generator=generator, dtype=torch.float64)
    return Call({"X": 1 + scales * _randn(generator, n, d)})


def twins(generator: Generator, n: int, d: int) -> list[Call]:
    """Two equal rows, at distance 0; and two points alone."""
    call = features(generator, n, d)
    call.inputs["X"][n - 2] = call.inputs["X"][1]
    return [call, features(generator, 2, 3)]


def moved_calls(generator: Generator) -> list[Call]:
    """The same points as they are; turned and moved far from 0, where ‖x‖² hides d; three times as large."""
    X = features(generator, 6, 4).inputs["X"]
    turn = torch.linalg.qr(_randn(generator, 4, 4)).Q
    return [Call({"X": each}) for each in (X, X @ turn + 1e7 * _randn(generator, 4), 3 * X)]


def moved(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """d does not see a turn or a shift, and grows with the square of the size."""
    plain, turned, larger = (result[0] for result in results)
    return max(_relative(turned, plain), _relative(larger, 9 * plain))


# 2. joint_probabilities


def distances(generator: Generator, n: int, perplexity: float) -> Call:
    """Distances among n points, some in a crowd and some apart, none of them tied."""
    spread = 0.2 + 0.8 * torch.rand(n, 1, generator=generator, dtype=torch.float64)
    return Call({"distances": squared_distances(spread * _randn(generator, n, 3)), "perplexity": perplexity})


def telling_distances(generator: Generator, n: int, perplexity: float) -> Call:
    """The same, drawn again until it shows whether the exponent has d_ij, its root or its square."""
    for _ in range(100):
        call = distances(generator, n, perplexity)
        d = call.inputs["distances"]
        rows, *others = (conditional(each, perplexity) for each in (d, d.sqrt(), d.square()))
        if min(float((rows - other).abs().max() / rows.max()) for other in others) > 0.05:
            return call
    raise RuntimeError(f"no {n} points found that tell a distance from its root")


def crowd(generator: Generator, n: int, perplexity: float) -> Call:
    """A dense crowd, two of its points equal, and one point far from all others."""
    X = 0.02 * _randn(generator, n, 3)
    X[1], X[-1] = X[0], 1e4
    return Call({"distances": squared_distances(X), "perplexity": perplexity})


def larger_units(generator: Generator) -> list[Call]:
    """The same points, in centimetres and in millimetres."""
    call = distances(generator, 9, 2.6)
    return [call, Call({**call.inputs, "distances": 100 * call.inputs["distances"]})]


def same_probabilities(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The unit of the features changes nothing."""
    one, other = results
    return max(_relative(b, a) for a, b in zip(one, other, strict=True))


def three_perplexities(generator: Generator) -> list[Call]:
    """The same points, asked for few, some and nearly all neighbours."""
    call = distances(generator, 10, 2.0)
    return [Call({**call.inputs, "perplexity": perplexity}) for perplexity in (1.5, 3.0, 8.0)]


def perplexity_reached(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """2^H of every row is the perplexity asked for."""
    return max(
        _relative(_row_perplexities(rows), float(call.inputs["perplexity"]))
        for call, (rows, *_) in zip(calls, results, strict=True)
    )


def _row_perplexities(rows: np.ndarray) -> np.ndarray:
    logs = np.log2(np.where(rows > 0, rows, 1.0))
    return 2.0 ** -(rows * logs).sum(1)


def a_probability(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The last output is symmetric, has a zero diagonal and sums to 1."""
    return max(_departs_from_probability(result[-1]) for result in results)


def _departs_from_probability(P: np.ndarray) -> float:
    largest = np.abs(P).max() or 1.0
    parts = (np.abs(P - P.T).max() / largest, np.abs(np.diag(P)).max() / largest, abs(P.sum() - 1), -P.min())
    return float(max(parts))


# 3. low_dimensional_affinities


def points(generator: Generator, n: int, size: float = 1.2) -> Tensor:
    """n points of the plane, none within 0.3 of another: no weight hides the others."""
    for _ in range(1000):
        Y = size * _randn(generator, n, 2)
        if float((squared_distances(Y) + torch.eye(n)).min()) > 0.09:
            return Y
    raise RuntimeError(f"no {n} points found that are apart")


def plane(generator: Generator, *sizes: int) -> list[Call]:
    """Points of the plane, one set for each size."""
    return [Call({"Y": points(generator, n)}) for n in sizes]


def planes(generator: Generator, *sizes: int) -> list[Call]:
    """The same, two points of the first set equal; and five points so far apart that all weights are nearly 0."""
    calls = plane(generator, *sizes)
    calls[0].inputs["Y"][1] = calls[0].inputs["Y"][0]
    return [*calls, Call({"Y": 3e4 * points(generator, 5)})]


def odds(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """q_ij / q_kl = (1 + ‖y_k - y_l‖²) / (1 + ‖y_i - y_j‖²): q times 1 + d is the same for all pairs."""
    far = 0.0
    for call, (Q,) in zip(calls, results, strict=True):
        same = (Q * (1 + _array(squared_distances(call.inputs["Y"]))))[~np.eye(len(Q), dtype=bool)]
        far = max(far, _relative(same, same.mean()))
    return far


# 4. kl_and_gradient


def joint(generator: Generator, n: int, perplexity: float = 2.5) -> Tensor:
    """P of random features."""
    D = squared_distances(_randn(generator, n, 3))
    return joint_probabilities(conditional_probabilities(D, perplexity))


def with_a_zero(P: Tensor) -> Tensor:
    """The same with no probability for the last pair, and still a sum of 1."""
    P = P.clone()
    P[0, -1] = P[-1, 0] = 0
    return P / P.sum()


def pulls(generator: Generator, n: int, other: int, exaggeration: float) -> list[Call]:
    """A P with a pair of probability 0; an exaggerated one; two equal points, and one far from all others."""
    Y = points(generator, n)
    Y[1], Y[-1] = Y[0], 500.0
    return [
        Call({"P": with_a_zero(joint(generator, n)), "Y": points(generator, n)}),
        Call({"P": exaggeration * joint(generator, other), "Y": points(generator, other)}),
        Call({"P": joint(generator, n), "Y": Y}),
    ]


def at_the_goal(generator: Generator) -> list[Call]:
    """P is Q of the points."""
    Y = points(generator, 6)
    return [Call({"P": low_dimensional_affinities(Y), "Y": Y})]


def nothing_to_do(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """C = 0 and no pull."""
    return max(float(np.abs(part).max()) for result in results for part in result)


def one_scene(generator: Generator) -> list[Call]:
    """Points, and a P that sums to 1."""
    return [Call({"P": with_a_zero(joint(generator, 7)), "Y": points(generator, 7)})]


def equals_autograd(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The gradient is that of Σ p ln(1 + d) + ln Σ 1/(1 + d), which is C but for a constant."""
    P, leaf = calls[0].inputs["P"], calls[0].inputs["Y"].clone().requires_grad_()
    with torch.enable_grad():
        far = 1 + (leaf[:, None] - leaf[None]).square().sum(2)
        off = 1 - torch.eye(len(P), dtype=P.dtype)
        cost = (P * far.log()).sum() + (off / far).sum().log()
        (want,) = torch.autograd.grad(cost, leaf)
    return _relative(results[0][-1], _array(want))


def balanced(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The gradients of all points add up to 0."""
    return max(float(np.abs(g.sum(0)).max() / (np.abs(g).max() or 1.0)) for *_, g in results)


# 5. descend


def descents(generator: Generator, *, n: int, steps: int, lr: float, momentum: float, exaggeration: float = 1) -> Call:
    """A few steps from points that are apart: far enough that each step shows, and well conditioned."""
    return Call(
        {
            "P": exaggeration * joint(generator, n),
            "start": points(generator, n),
            "steps": steps,
            "lr": lr,
            "momentum": momentum,
        }
    )


def overshooting(generator: Generator, *, n: int, steps: int, exaggeration: float = 1) -> Call:
    """Steps so large that C rises at one of them and is not yet at its end: nobody is to stop there."""
    for _ in range(1000):
        call = descents(generator, n=n, steps=steps, lr=2.5, momentum=0.7, exaggeration=exaggeration)
        costs = [_cost(call.inputs["P"], Y) for Y in rolled(**call.inputs)]
        if any(b > a for a, b in pairwise(costs[:-1])) and costs[-1] < 3 * costs[0]:
            return call
    raise RuntimeError("no descent found that overshoots")


def nearly_there(generator: Generator, *, n: int, steps: int, slope: float) -> Call:
    """A start where ‖∂C/∂Y‖ is `slope`, with a P nearly Q: nobody is to stop there either."""
    call = descents(generator, n=n, steps=steps, lr=5.0, momentum=0.9)
    P, start = call.inputs["P"], call.inputs["start"]
    Q = low_dimensional_affinities(start)
    share = slope / float(gradient(P, start).norm())  # with Y and so Q as they are, the gradient is linear in P
    return Call({**call.inputs, "P": Q + share * (P - Q)})


def climbing_once(generator: Generator) -> list[Call]:
    """One descent that overshoots, one of smaller steps with an exaggerated P, and two that are nearly flat."""
    return [
        overshooting(generator, n=6, steps=5),
        descents(generator, n=5, steps=3, lr=0.25, momentum=0.6, exaggeration=4),
        *(nearly_there(generator, n=5, steps=9, slope=slope) for slope in (2e-2, 4e-4)),
    ]


def climbing_once_exaggerated(generator: Generator) -> list[Call]:
    """The same with other numbers; P is exaggerated where it overshoots too."""
    return [
        overshooting(generator, n=7, steps=4, exaggeration=2),
        descents(generator, n=5, steps=3, lr=0.2, momentum=0.5, exaggeration=6),
        *(nearly_there(generator, n=5, steps=10, slope=slope) for slope in (2e-2, 4e-4)),
    ]


def careful_descent(generator: Generator) -> list[Call]:
    """Steps too small to overshoot, without momentum."""
    return [descents(generator, n=7, steps=10, lr=0.3, momentum=0.0)]


def falls(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """C is lower after each step; by how much it rises where it does not, and 1 where it never moves."""
    P = calls[0].inputs["P"]
    costs = np.array([_cost(P, torch.as_tensor(Y)) for Y in results[0][0]])
    rises = np.diff(costs)
    return float(max(rises.max(), 0.0) / costs[0]) if costs[-1] < costs[0] else 1.0


def _cost(P: Tensor, Y: Tensor) -> float:
    Q = low_dimensional_affinities(Y.to(P))
    return float((torch.special.xlogy(P, P) - torch.special.xlogy(P, Q)).sum())


def fast_descent(generator: Generator) -> list[Call]:
    """Steps with much momentum."""
    return [descents(generator, n=6, steps=6, lr=1.0, momentum=0.8)]


def centred(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The mean of all points stays where it was."""
    path = results[0][0]
    centres = path.mean(axis=-2)
    want = _array(calls[0].inputs["start"]).mean(axis=0)
    moved_by = np.abs(path[-1] - path[0]).max()
    return float(np.abs(centres - want).max() / np.abs(path).max()) if moved_by > 0 else 1.0

"""Inputs and laws of t-SNE: small float64 point sets, some points equal, some far away, some P exaggerated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from autograder.course.authored import Checks
from autograder.course.fixtures import array, between, randn, redrawn, relative
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz_ref import tsne_parts as parts


def features(generator: Generator, n: int, d: int) -> Call:
    """n rows whose columns have unlike means and spreads, and no row of length 1."""
    return Call({"X": 1 + between(generator, 0.5, 2.0, d) * randn(generator, n, d)})


def twins(generator: Generator, n: int, d: int) -> list[Call]:
    """Two equal rows, at distance 0; and two points alone."""
    call = features(generator, n, d)
    call.inputs["X"][n - 2] = call.inputs["X"][1]
    return [call, features(generator, 2, 3)]


def moved_points(generator: Generator) -> list[Call]:
    """The same points as they are; turned and moved far from 0, where ‖x‖² hides d; three times as large."""
    X = features(generator, 6, 4).inputs["X"]
    turn = torch.linalg.qr(randn(generator, 4, 4)).Q
    return [Call({"X": each}) for each in (X, X @ turn + 1e7 * randn(generator, 4), 3 * X)]


def moved(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    plain, turned, larger = (result[0] for result in results)
    return max(relative(turned, plain), relative(larger, 9 * plain))


def distances(generator: Generator, n: int, perplexity: float) -> Call:
    """Distances among n points, some in a crowd and some apart, none of them tied."""
    X = between(generator, 0.2, 1.0, n, 1) * randn(generator, n, 3)
    return Call({"distances": parts.squared_distances(X), "perplexity": perplexity})


def crowd(generator: Generator) -> list[Call]:
    """A dense crowd, two of its points equal, and one point far from all others."""
    X = 0.02 * randn(generator, 8, 3)
    X[1], X[-1] = X[0], 1e4
    return [Call({"distances": parts.squared_distances(X), "perplexity": 2.4})]


def larger_units(generator: Generator) -> list[Call]:
    """The same points, in centimetres and in millimetres."""
    call = distances(generator, 9, 2.6)
    return [call, Call({**call.inputs, "distances": 100 * call.inputs["distances"]})]


def same_probabilities(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    one, other = results
    return max(relative(b, a) for a, b in zip(one, other, strict=True))


def three_perplexities(generator: Generator) -> list[Call]:
    """The same points, asked for few, some and nearly all neighbours."""
    call = distances(generator, 10, 2.0)
    return [Call({**call.inputs, "perplexity": perplexity}) for perplexity in (1.5, 3.0, 8.0)]


def perplexity_reached(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return max(
        relative(row_perplexities(rows), np.array(call.inputs["perplexity"]))
        for call, (rows, _) in zip(calls, results, strict=True)
    )


def row_perplexities(rows: np.ndarray) -> np.ndarray:
    logs = np.log2(np.where(rows > 0, rows, 1.0))
    return 2.0 ** -(rows * logs).sum(1)


def a_probability(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The last output is symmetric, has a zero diagonal, sums to 1, and is nowhere below 0."""
    return max(departs_from_probability(result[-1]) for result in results)


def departs_from_probability(P: np.ndarray) -> float:
    largest = np.abs(P).max() or 1.0
    faults = (np.abs(P - P.T).max() / largest, np.abs(np.diag(P)).max() / largest, abs(P.sum() - 1), -P.min())
    return float(max(faults))


def points(generator: Generator, n: int) -> Tensor:
    """n points of the plane, none within 0.3 of another: no weight hides the others."""
    apart = 0.09 * (1 - torch.eye(n))
    return redrawn(lambda: 1.2 * randn(generator, n, 2), lambda Y: bool((parts.squared_distances(Y) >= apart).all()))


def plane(generator: Generator, *sizes: int) -> list[Call]:
    """Points of the plane, one set for each size."""
    return [Call({"Y": points(generator, n)}) for n in sizes]


def planes(generator: Generator, *sizes: int) -> list[Call]:
    """The same, two points of the first set equal; and five points so far apart that all weights are nearly 0."""
    calls = plane(generator, *sizes)
    calls[0].inputs["Y"][1] = calls[0].inputs["Y"][0]
    return [*calls, Call({"Y": 3e4 * points(generator, 5)})]


def odds(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """q times 1 + d is the same for all pairs."""
    Q = results[0][0]
    same = (Q * (1 + array(parts.squared_distances(calls[0].inputs["Y"]))))[~np.eye(len(Q), dtype=bool)]
    return relative(same, same.mean(keepdims=True))


def joint(generator: Generator, n: int) -> Tensor:
    """P of random features."""
    D = parts.squared_distances(randn(generator, n, 3))
    return parts.joint_probabilities(parts.conditional_probabilities(D, 2.5))


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
    return [Call({"P": parts.low_dimensional_affinities(Y), "Y": Y})]


def nothing_to_do(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return max(float(np.abs(part).max()) for part in results[0])


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
    return relative(results[0][-1], array(want))


def balanced(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    g = results[0][-1]
    return float(np.abs(g.sum(0)).max() / (np.abs(g).max() or 1.0))


def descents(generator: Generator, *, n: int, exaggeration: float = 1, **options: Any) -> Call:
    """A few steps from points that are apart: far enough that each step shows, and well conditioned."""
    return Call({"P": exaggeration * joint(generator, n), "start": points(generator, n), **options})


def overshooting(generator: Generator, *, n: int, steps: int, exaggeration: float = 1) -> Call:
    """Steps so large that C rises at one of them and is not yet at its end: nobody is to stop there."""
    options = {"steps": steps, "lr": 2.5, "momentum": 0.7}
    return redrawn(lambda: descents(generator, n=n, exaggeration=exaggeration, **options), rises_on_its_way)


def rises_on_its_way(call: Call) -> bool:
    costs = [cost(call.inputs["P"], Y) for Y in path(**call.inputs)]
    return any(b > a for a, b in pairwise(costs[:-1])) and costs[-1] < 3 * costs[0]


def path(P: Tensor, start: Tensor, steps: int, lr: float, momentum: float) -> list[Tensor]:
    """The descent, a set of points for each step."""
    found, V = [start], torch.zeros_like(start)
    for _ in range(steps):
        V = momentum * V - lr * parts.kl_gradient(P, found[-1])
        found.append(found[-1] + V)
    return found


def cost(P: Tensor, Y: Tensor) -> float:
    return float(parts.kl_divergence(P, parts.low_dimensional_affinities(Y.to(P))))


def nearly_there(generator: Generator, *, n: int, steps: int, slope: float) -> Call:
    """A start where ‖∂C/∂Y‖ is `slope`, with a P nearly Q: nobody is to stop there either."""
    call = descents(generator, n=n, steps=steps, lr=5.0, momentum=0.9)
    P, start = call.inputs["P"], call.inputs["start"]
    Q = parts.low_dimensional_affinities(start)
    share = slope / float(parts.kl_gradient(P, start).norm())  # with Y and so Q as they are, it is linear in P
    return Call({**call.inputs, "P": Q + share * (P - Q)})


def climbing_once(generator: Generator) -> list[Call]:
    return [
        overshooting(generator, n=6, steps=5),
        descents(generator, n=5, steps=3, lr=0.25, momentum=0.6, exaggeration=4),
        *(nearly_there(generator, n=5, steps=9, slope=slope) for slope in (2e-2, 4e-4)),
    ]


def climbing_once_exaggerated(generator: Generator) -> list[Call]:
    """P is exaggerated where C rises too."""
    return [
        overshooting(generator, n=7, steps=4, exaggeration=2),
        descents(generator, n=5, steps=3, lr=0.2, momentum=0.5, exaggeration=6),
        *(nearly_there(generator, n=5, steps=10, slope=slope) for slope in (2e-2, 4e-4)),
    ]


def careful_descent(generator: Generator) -> list[Call]:
    """Steps too small to overshoot, without momentum."""
    return [descents(generator, n=7, steps=10, lr=0.3, momentum=0.0)]


def falls(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """By how much C rises at the worst step, and 1 where it never moves."""
    costs = np.array([cost(calls[0].inputs["P"], torch.as_tensor(Y)) for Y in results[0][0]])
    return float(max(np.diff(costs).max(), 0.0) / costs[0]) if costs[-1] < costs[0] else 1.0


def fast_descent(generator: Generator) -> list[Call]:
    """Steps with much momentum."""
    return [descents(generator, n=6, steps=6, lr=1.0, momentum=0.8)]


def centred(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """How far the mean of all points moves, and 1 where no point does."""
    Y = results[0][0]
    away = np.abs(Y.mean(axis=1) - array(calls[0].inputs["start"]).mean(axis=0)).max()
    return float(away / np.abs(Y).max()) if (Y[-1] != Y[0]).any() else 1.0


def sorted_digits() -> Call:
    """Sixty handwritten digits, sorted by class: p_j|i has blocks."""
    from sklearn.datasets import load_digits

    X, labels = load_digits(return_X_y=True)
    order = labels[:60].argsort(kind="stable")
    return Call({"distances": parts.squared_distances(torch.as_tensor(X[:60][order])), "perplexity": 5.0})


CHECKS = {
    "squared_distances": Checks(
        cases=(
            Case("six points, two of them equal; and two points alone", lambda generator: twins(generator, 6, 4)),
            Case("other sizes, and two points that are equal", lambda generator: twins(generator, 5, 7), hidden=True),
        ),
        laws=(
            Law(
                "turned_moved_enlarged",
                "Turning all points and moving them together, even far from 0, changes no d_ij; three times the size "
                "makes d_ij 9 times.",
                moved_points,
                moved,
            ),
        ),
    ),
    "joint_probabilities": Checks(
        cases=(
            Case("eleven points, perplexity 2.5", lambda generator: [distances(generator, 11, 2.5)]),
            Case(
                "a crowd, where two points are equal, with one point far away",
                crowd,
                only_here=("least_distance_kept", "equal_points_left_out", "narrow_search"),
            ),
            Case(
                "other points and other perplexities",
                lambda generator: [distances(generator, 12, 2.7), distances(generator, 10, 2.3)],
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "every_row_has_the_perplexity",
                "2^H(P_i) is the perplexity in every row i of p_j|i, whether it is small or nearly N - 1.",
                three_perplexities,
                perplexity_reached,
            ),
            Law(
                "one_probability_for_all_pairs",
                "P is symmetric, its diagonal is 0, and all its entries together are 1.",
                three_perplexities,
                a_probability,
            ),
            Law(
                "unit_does_not_matter",
                "Features in another unit: every d_ij is 100 times as large, every β_i 100 times smaller, and neither "
                "p_j|i nor P changes.",
                larger_units,
                same_probabilities,
            ),
        ),
        showcase=sorted_digits,
    ),
    "low_dimensional_affinities": Checks(
        cases=(
            Case("seven points, two of them equal; and points very far apart", lambda generator: planes(generator, 7)),
            Case("other points, few and more", lambda generator: planes(generator, 4, 9), hidden=True),
        ),
        laws=(
            Law(
                "one_probability_for_all_pairs",
                "Q is symmetric, its diagonal is 0, and all its entries together are 1.",
                lambda generator: plane(generator, 6),
                a_probability,
            ),
            Law(
                "odds_of_two_pairs",
                "q_ij (1 + ‖y_i - y_j‖²) is the same number for all pairs i ≠ j.",
                lambda generator: plane(generator, 5),
                odds,
            ),
        ),
    ),
    "kl_and_gradient": Checks(
        cases=(
            Case(
                "a pair of probability 0; P exaggerated; equal points, and one far away",
                lambda generator: pulls(generator, 7, 5, 2.0),
            ),
            Case(
                "other points, exaggerated more",
                lambda generator: pulls(generator, 6, 8, 3.0),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "equals_autograd",
                "Where P sums to 1, the formula's gradient is the one that autograd finds for C.",
                one_scene,
                equals_autograd,
            ),
            Law(
                "pulls_cancel",
                "The gradients of all points add up to 0: what i pulls at j, j pulls at i.",
                one_scene,
                balanced,
            ),
            Law(
                "nothing_to_do",
                "Where P = Q, C is 0 and so is every gradient.",
                at_the_goal,
                nothing_to_do,
            ),
        ),
    ),
    "descend": Checks(
        cases=(
            Case(
                "steps so large that C rises at one of them; smaller steps; and a start where C is nearly flat",
                climbing_once,
            ),
            Case(
                "other points, other η and μ; and P exaggerated",
                climbing_once_exaggerated,
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law("cost_falls", "With small steps and μ = 0, C falls at each step.", careful_descent, falls),
            Law(
                "centre_stays",
                "The mean of all points stays where it was at the start, since the pulls cancel.",
                fast_descent,
                centred,
            ),
        ),
    ),
}

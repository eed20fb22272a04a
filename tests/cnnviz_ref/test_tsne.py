"""t-SNE and its parts against hand computation, loops from the paper, and its laws."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from torch import Tensor
from torch.overrides import TorchFunctionMode

from cnnviz_ref import tsne_parts as parts
from cnnviz_ref.tsne import (
    affinities,
    conditional_probabilities,
    exaggerated_gradient,
    joint_probabilities,
    kl_divergence,
    kl_gradient,
    low_dimensional_affinities,
    phase,
    row_perplexities,
    squared_distances,
    starting_points,
    student_weights,
    tsne,
)


def points(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def conditional(X: Tensor, perplexity: float) -> Tensor:
    return conditional_probabilities(squared_distances(X), perplexity)


def joint(X: Tensor, perplexity: float) -> Tensor:
    return joint_probabilities(conditional(X, perplexity))


def relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).abs().max() / expected.abs().max())


def one_nn_agreement(Y: Tensor, labels: Tensor) -> float:
    D = squared_distances(Y).fill_diagonal_(math.inf)
    return float((labels[D.argmin(dim=1)] == labels).double().mean())


# By hand


def test_row_with_two_neighbours_by_hand() -> None:
    # at precision 1: weights 1 and 1/3, so 3/4 and 1/4; H = 2 - 3/4 log2 3 bits, perplexity 4 / 3^(3/4)
    D = torch.tensor([[0.0, 2.0, 2.0 + math.log(3)], [2.0, 0.0, 5.0], [2.0 + math.log(3), 5.0, 0.0]])
    P = conditional_probabilities(D.double(), 4 / 3**0.75)
    assert (P[0] - torch.tensor([0, 0.75, 0.25])).abs().max() < 1e-7  # D was rounded to float32
    # every row has two neighbours, so the same two probabilities, the nearer one first
    assert (P[1:] - torch.tensor([[0.75, 0, 0.25], [0.75, 0.25, 0]])).abs().max() < 1e-7


def test_two_points_and_the_uniform_row_by_hand() -> None:
    assert conditional_probabilities(torch.tensor([[0.0, 7.0], [7.0, 0.0]]), 1).tolist() == [[0, 1], [1, 0]]
    uniform = conditional(points(4, 3), 3)
    assert (3 * uniform - (1 - torch.eye(4))).abs().max() < 1e-6  # the entropy is flat there


def test_divergence_and_gradient_of_three_points_by_hand() -> None:
    # P: all weight on the first pair. Q: weights 1/2, 1/2, 1/5 of 12/5, so q01 = 5/24, q02 = 5/24, q12 = 1/12
    P = torch.tensor([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    Y = torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    Q = low_dimensional_affinities(Y)
    expected = torch.tensor([[0, 5 / 24, 5 / 24], [5 / 24, 0, 1 / 12], [5 / 24, 1 / 12, 0]], dtype=torch.float64)
    assert (Q - expected).abs().max() < 1e-15
    assert abs(kl_divergence(P, Q) - math.log(0.5 / (5 / 24))) < 1e-15
    # first point: 4 [(1/2 - 5/24) (-1) / 2 + (-5/24) (+1) / 2] = -1
    expected = torch.tensor([[-1, 0], [0.45, 0], [0.55, 0]], dtype=torch.float64)
    assert (kl_gradient(P, Y) - expected).abs().max() < 1e-15


def test_two_points_are_moved_by_nothing() -> None:
    Y = starting_points(torch.zeros(2, 2, dtype=torch.float64), 5)
    found = tsne(points(2, 3), perplexity=1, steps=3, seed=5)  # no step of three is exaggerated, and P = Q
    assert (found - (Y - Y.mean(dim=0))).abs().max() < 1e-15


# A second time, slowly, from the paper


def slow_conditional(X: list[list[float]], perplexity: float) -> list[list[float]]:
    rows = []
    for i, x in enumerate(X):
        D = [sum((a - b) ** 2 for a, b in zip(x, z, strict=True)) for z in X]
        low, high, beta = 0.0, math.inf, 1.0
        for _ in range(200):
            weights = [0.0 if j == i else math.exp(-beta * d) for j, d in enumerate(D)]
            row = [w / sum(weights) for w in weights]
            entropy = -sum(p * math.log2(p) for p in row if p > 0)
            if 2**entropy > perplexity:
                low = beta
                beta = beta * 2 if high == math.inf else (low + high) / 2
            else:
                high = beta
                beta = (low + high) / 2
        rows.append(row)
    return rows


def slow_joint(X: list[list[float]], perplexity: float) -> list[list[float]]:
    C, N = slow_conditional(X, perplexity), len(X)
    return [[(C[i][j] + C[j][i]) / (2 * N) for j in range(N)] for i in range(N)]


def slow_affinities(Y: list[list[float]]) -> tuple[list[list[float]], list[list[float]]]:
    """Q and its unnormalised weights."""
    N = len(Y)
    w = [
        [0.0 if i == j else 1 / (1 + (Y[i][0] - Y[j][0]) ** 2 + (Y[i][1] - Y[j][1]) ** 2) for j in range(N)]
        for i in range(N)
    ]
    Z = sum(map(sum, w))
    return [[value / Z for value in row] for row in w], w


def slow_divergence(P: list[list[float]], Q: list[list[float]]) -> float:
    N = len(P)
    return sum(P[i][j] * math.log(P[i][j] / Q[i][j]) for i in range(N) for j in range(N) if i != j)


def slow_gradient(P: list[list[float]], Y: list[list[float]]) -> list[list[float]]:
    Q, w = slow_affinities(Y)
    N = len(Y)
    return [
        [4 * sum((P[i][j] - Q[i][j]) * (Y[i][k] - Y[j][k]) * w[i][j] for j in range(N)) for k in (0, 1)]
        for i in range(N)
    ]


def slow_tsne(P: list[list[float]], start: list[list[float]], steps: int) -> list[list[float]]:
    N = len(P)
    Y, V, G = [list(y) for y in start], [[0.0, 0.0] for _ in P], [[1.0, 1.0] for _ in P]
    for step in range(steps):
        early = step < steps // 4
        if step == steps // 4:
            Y = [[a + b for a, b in zip(y, s, strict=True)] for y, s in zip(Y, start, strict=True)]
        factor, momentum = (12.0, 0.5) if early else (1.0, 0.8)
        g = slow_gradient([[factor * p for p in row] for row in P], Y)
        for i in range(N):
            for k in (0, 1):
                same_way = g[i][k] * V[i][k] < 0
                G[i][k] = max(G[i][k] + 0.2 if same_way else G[i][k] * 0.8, 0.01)
                V[i][k] = momentum * V[i][k] - N / (4 * factor) * G[i][k] * g[i][k]
                Y[i][k] += V[i][k]
        means = [sum(y[k] for y in Y) / N for k in (0, 1)]
        Y = [[y[k] - means[k] for k in (0, 1)] for y in Y]
    return Y


@pytest.mark.parametrize("perplexity", [1.5, 4, 8.5])
def test_probabilities_divergence_and_gradient_equal_the_papers_loops(perplexity: float) -> None:
    X, Y = points(11, 3), points(11, 2, seed=2)
    P = joint(X, perplexity)
    slow_P = slow_joint(X.tolist(), perplexity)
    slow_Q, _ = slow_affinities(Y.tolist())
    assert relative(conditional(X, perplexity), torch.tensor(slow_conditional(X.tolist(), perplexity))) < 1e-7
    assert relative(P, torch.tensor(slow_P, dtype=torch.float64)) < 1e-9
    assert relative(low_dimensional_affinities(Y), torch.tensor(slow_Q, dtype=torch.float64)) < 1e-12
    assert abs(kl_divergence(P, low_dimensional_affinities(Y)) - slow_divergence(slow_P, slow_Q)) < 1e-9
    slow = torch.tensor(slow_gradient(slow_P, Y.tolist()), dtype=torch.float64)
    assert relative(kl_gradient(P, Y), slow) < 1e-9
    assert relative(exaggerated_gradient(P, Y), slow) < 1e-9


def test_embedding_equals_the_papers_loops() -> None:
    X = points(9, 4)
    start = starting_points(X, 3)
    expected = torch.tensor(slow_tsne(slow_joint(X.tolist(), 2.5), start.tolist(), 24), dtype=torch.float64)
    assert relative(tsne(X, perplexity=2.5, steps=24, seed=3), expected) < 1e-7


# Laws


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    N=st.integers(8, 30),
    share=st.floats(0.3, 0.95),
    offset=st.sampled_from([0.0, 1e3]),
    outlier=st.sampled_from([0.0, 1e3]),
    twice=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)
def test_law_p_is_symmetric_without_diagonal_sums_to_1_and_every_row_has_the_perplexity(
    seed: int, N: int, share: float, offset: float, outlier: float, twice: bool, dtype: torch.dtype
) -> None:
    X = points(N, 4, seed=seed) + offset
    X = torch.cat([X, X]) if twice else X
    X[0, 0] += outlier
    perplexity = share * (len(X) - 1)
    C = conditional(X.to(dtype), perplexity)
    P = joint_probabilities(C)
    assert C.dtype == P.dtype == dtype
    assert (row_perplexities(C.double()) - perplexity).abs().max() < 1e-3
    assert (C.sum(dim=1) - 1).abs().max() < 1e-6
    assert torch.equal(P, P.T)
    assert P.diagonal().eq(0).all()
    assert abs(P.double().sum() - 1) < 1e-6
    assert (P.sum(dim=1) > 0.49 / len(X)).all()  # an outlier too


@pytest.mark.parametrize("far", [1e4, 1e8])
@pytest.mark.parametrize("scale", [1e-100, 1.0, 1e100])
def test_perplexity_holds_for_an_extreme_outlier_and_any_unit(far: float, scale: float) -> None:
    X = points(60, 5)
    X[0] += far
    C = conditional(scale * X, 10)
    assert (row_perplexities(C) - 10).abs().max() < 1e-3
    assert relative(C, conditional(X, 10)) < 1e-6


def test_an_offset_far_larger_than_the_spread_costs_no_more_than_its_rounding() -> None:
    X = points(20, 5)
    assert relative(joint(X + 1e8, 6), joint(X, 6)) < 1e-6


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_features_are_not_limited_by_the_range_of_their_distances(scale: float) -> None:
    X = points(20, 5)
    assert relative(affinities(scale * X, 6.0), affinities(X, 6.0)) < 1e-9


def test_distances_of_float32_features_are_not_rounded_to_float32() -> None:
    X = points(20, 5).float()
    X[0] += 1e7  # its distances differ by less than float32 resolves
    assert relative(affinities(X, 6.0), affinities(X.double(), 6.0)) < 1e-5


def test_more_duplicates_than_the_perplexity_share_their_row_evenly() -> None:
    X = torch.cat([torch.zeros(6, 2), points(4, 2).float()])
    C = conditional(X, 3)
    assert (C[:6, :6] - 0.2 * (1 - torch.eye(6))).abs().max() < 1e-6
    assert C[:6, 6:].abs().max() == 0
    same = conditional(torch.zeros(5, 2), 2)
    assert (same - 0.25 * (1 - torch.eye(5))).abs().max() < 1e-6


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), N=st.integers(5, 20), D=st.integers(2, 5))
def test_law_p_does_not_see_rotation_translation_or_unit(seed: int, N: int, D: int) -> None:
    X = points(N, D, seed=seed)
    rotation, _ = torch.linalg.qr(points(D, D, seed=seed + 1))
    expected = joint(X, N / 3)
    assert relative(joint(X @ rotation + 10 * points(D, seed=seed + 2), N / 3), expected) < 1e-8
    assert relative(joint(3.7 * X, N / 3), expected) < 1e-8
    assert relative(affinities(X @ rotation, N / 3), expected) < 1e-8


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), N=st.integers(3, 20), spread=st.floats(0.01, 30))
def test_law_gradient_is_autograd_s_and_sums_to_zero(seed: int, N: int, spread: float) -> None:
    P = joint(points(N, 3, seed=seed), max(1.5, N / 3))
    Y = (spread * points(N, 2, seed=seed + 1)).requires_grad_()
    (expected,) = torch.autograd.grad(kl_divergence(P, low_dimensional_affinities(Y)), Y)
    Y = Y.detach()
    size = 4 * ((P + low_dimensional_affinities(Y)) * student_weights(Y)).sum() * spread  # what cancels in it
    assert (kl_gradient(P, Y) - expected).abs().max() < 1e-12 * size
    assert kl_gradient(P, Y).sum(dim=0).abs().max() < 1e-12 * size


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), N=st.integers(4, 20))
def test_law_the_divergence_is_not_negative_and_falls_along_small_steps(seed: int, N: int) -> None:
    P, Y = joint(points(N, 3, seed=seed), N / 3), points(N, 2, seed=seed + 1)
    divergences = []
    for _ in range(20):
        divergences.append(float(kl_divergence(P, low_dimensional_affinities(Y))))
        Y = Y - 0.2 * kl_gradient(P, Y)
    assert divergences == sorted(divergences, reverse=True)
    assert divergences[-1] >= 0
    assert abs(kl_divergence(P, P)) < 1e-12


def test_law_the_divergence_of_the_embedding_falls_with_its_steps() -> None:
    X = digits(100)[0]
    P = affinities(X, 10.0)
    found = [kl_divergence(P, low_dimensional_affinities(tsne(X, perplexity=10, steps=n))) for n in (1, 30, 100, 400)]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 0.5 * found[0]


@pytest.mark.parametrize("exaggeration", [1.0, 12.0])
@pytest.mark.parametrize("chunk", [1, 100, 10**6])
def test_blocks_of_rows_do_not_change_the_gradient(
    exaggeration: float, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(exaggerated_gradient.__globals__, "CHUNK", chunk)
    P, Y = joint(points(23, 3), 6), points(23, 2, seed=2)
    assert relative(exaggerated_gradient(P, Y, exaggeration), kl_gradient(exaggeration * P, Y)) < 1e-12


class Largest(TorchFunctionMode):
    """Remembers the largest tensor that any operation gave."""

    numel = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor):
            self.numel = max(self.numel, out.numel())
        return out


def test_no_step_makes_an_array_of_all_pairs() -> None:
    N = 600
    P, Y = torch.full((N, N), 1 / N**2), points(N, 2).float()
    with Largest() as seen:
        exaggerated_gradient(P, Y, 12.0)
    assert 0 < seen.numel <= 2 * parts.CHUNK < N**2


# The embedding


def digits(n: int) -> tuple[Tensor, Tensor]:
    X, labels = load_digits(return_X_y=True)
    return torch.tensor(X[:n]), torch.tensor(labels[:n])


def test_neighbours_of_300_digits_are_of_their_class() -> None:
    X, labels = digits(300)
    assert one_nn_agreement(tsne(X.float(), perplexity=20), labels) >= 0.95


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_same_seed_gives_the_same_and_another_seed_another_embedding(dtype: torch.dtype) -> None:
    X = points(30, 4).to(dtype)
    before, kept = torch.get_rng_state(), X.clone()
    first = tsne(X, perplexity=5, steps=40, seed=3)
    torch.manual_seed(99)
    assert torch.equal(tsne(X, perplexity=5, steps=40, seed=3), first)
    assert not torch.allclose(tsne(X, perplexity=5, steps=40, seed=4), first)
    torch.set_rng_state(before)
    tsne(X, perplexity=5, steps=2)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(X, kept)
    assert first.dtype == dtype
    assert first.shape == (30, 2)
    assert first.mean(dim=0).abs().max() < 1e-5


def test_exaggeration_ends_after_a_quarter_of_the_steps_and_after_250_at_most() -> None:
    assert [phase(step, 100, 48).exaggeration for step in (0, 24, 25, 99)] == [12, 12, 1, 1]
    assert [phase(step, 4000, 48).exaggeration for step in (249, 250)] == [12, 1]
    assert phase(0, 3, 48).exaggeration == 1


def test_points_that_exaggeration_draws_into_one_come_apart_again() -> None:
    X = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))  # unclustered: once drawn to 1e-24, onto a line
    P = affinities(X, 5 / 3)
    assert kl_divergence(P, low_dimensional_affinities(tsne(X, perplexity=5 / 3, steps=1000))) < 0.3


@pytest.mark.parametrize(
    "features",
    [torch.zeros(5, 3), torch.full((4, 2), 7.5), 1e38 * torch.eye(5), torch.tensor([[0.0], [1e-38], [3e-38], [1.0]])],
)
def test_constant_huge_and_tiny_features_give_finite_points(features: Tensor) -> None:
    assert torch.isfinite(tsne(features, perplexity=2, steps=60)).all()


def test_gradients_and_modes_of_the_caller_do_not_matter() -> None:
    X = points(12, 3)
    expected = tsne(X, perplexity=3, steps=20)
    found = tsne(X.clone().requires_grad_(), perplexity=3, steps=20)
    assert torch.equal(found, expected)
    assert not found.requires_grad
    with torch.inference_mode():
        found = tsne(X.clone(), perplexity=3, steps=20)
    assert torch.equal(found, expected)
    assert not found.is_inference()


# Known mistakes are far away


def in_nats(X: Tensor, perplexity: float) -> Tensor:
    """2^H with H in nats: 2^(ln 2^b) is asked to be the perplexity, which is a perplexity of e^(log2 perplexity)."""
    return joint(X, math.exp(math.log2(perplexity)))


def with_diagonal(X: Tensor, perplexity: float) -> Tensor:
    C = conditional(X, perplexity)
    return joint_probabilities((C + 0.1 * torch.eye(len(X))) / 1.1)


MISTAKEN_P = {
    "no symmetrising": lambda X, p: conditional(X, p) / len(X),
    "diagonal kept": with_diagonal,
    "nats with 2^H": in_nats,
    "row-normalised": lambda X, p: (conditional(X, p) + conditional(X, p).T) / 2,
    "width for precision": lambda X, p: joint_probabilities(conditional_probabilities(squared_distances(X).sqrt(), p)),
}


@pytest.mark.parametrize("name", MISTAKEN_P)
def test_a_mistaken_p_is_a_hundred_tolerances_away(name: str) -> None:
    X = points(15, 3)
    assert relative(MISTAKEN_P[name](X, 4), joint(X, 4)) > 1e-2


def gaussian(Y: Tensor) -> Tensor:
    w = torch.exp(-squared_distances(Y)).fill_diagonal_(0)
    return w / w.sum()


def kept_diagonal(Y: Tensor) -> Tensor:
    w = 1 / (1 + squared_distances(Y))
    return w / w.sum()


@pytest.mark.parametrize("mistaken", [gaussian, kept_diagonal, lambda Y: student_weights(Y) / len(Y)])
def test_a_mistaken_q_is_a_hundred_tolerances_away(mistaken: Callable[[Tensor], Tensor]) -> None:
    Y = points(15, 2)
    assert relative(mistaken(Y), low_dimensional_affinities(Y)) > 1e-2


def without_weights(P: Tensor, Y: Tensor) -> Tensor:
    M = P - low_dimensional_affinities(Y)
    return 4 * (M.sum(dim=1, keepdim=True) * Y - M @ Y)


@pytest.mark.parametrize(
    "mistaken",
    [lambda P, Y: kl_gradient(P, Y) / 2, lambda P, Y: -kl_gradient(P, Y), without_weights],
    ids=["factor", "sign", "weights"],
)
def test_a_mistaken_gradient_is_a_hundred_tolerances_away(mistaken: Callable[[Tensor, Tensor], Tensor]) -> None:
    P, Y = joint(points(15, 3), 4), points(15, 2, seed=2)
    assert relative(mistaken(P, Y), kl_gradient(P, Y)) > 1e-2


def test_exaggeration_that_is_never_removed_leaves_a_higher_divergence(monkeypatch: pytest.MonkeyPatch) -> None:
    X = digits(100)[0]
    P = affinities(X, 10.0)
    right = kl_divergence(P, low_dimensional_affinities(tsne(X, perplexity=10, steps=200)))
    monkeypatch.setitem(phase.__globals__, "exaggerated_steps", lambda steps: steps)
    wrong = kl_divergence(P, low_dimensional_affinities(tsne(X, perplexity=10, steps=200)))
    assert wrong > 1.2 * right


# Bad input


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"perplexity": 12}, "perplexity: got 12, but each of 12 samples has 11 neighbours; choose from 1 to 11."),
        ({"perplexity": 11.5}, "perplexity: got 11.5, but each of 12 samples has 11 neighbours; choose from 1 to 11."),
        ({"perplexity": 0.9}, "perplexity: got 0.9, but each of 12 samples has 11 neighbours; choose from 1 to 11."),
        (
            {"perplexity": math.nan},
            "perplexity: got nan, but each of 12 samples has 11 neighbours; choose from 1 to 11.",
        ),
        ({"perplexity": "5"}, "perplexity: got '5', but each of 12 samples has 11 neighbours; choose from 1 to 11."),
        ({"steps": 0}, "steps: got 0, needs a whole number from 1; try 500."),
        ({"steps": 2.5}, "steps: got 2.5, needs a whole number from 1; try 500."),
        (
            {"features": [[1.0], [2.0]]},
            "features: got list, needs a tensor [N D]; convert with torch.as_tensor.",
        ),
        (
            {"features": torch.zeros(12, 3, 2)},
            "features: got shape [12, 3, 2], needs [N D] with N from 2; flatten what is not a row per sample.",
        ),
        (
            {"features": torch.zeros(1, 3)},
            "features: got shape [1, 3], needs [N D] with N from 2; flatten what is not a row per sample.",
        ),
        (
            {"features": torch.zeros(12, 0)},
            "features: got shape [12, 0], needs [N D] with N from 2; flatten what is not a row per sample.",
        ),
        (
            {"features": torch.zeros(12, 3, dtype=torch.int64)},
            "features: got torch.int64, needs floats; convert with features.float().",
        ),
        (
            {"features": torch.full((12, 3), math.nan)},
            "features: got NaN or infinity, needs finite values; drop or repair those rows.",
        ),
    ],
)
def test_bad_input_is_refused(change: dict, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        tsne(**{"features": points(12, 3), "perplexity": 4, "steps": 5, **change})
    assert str(error.value) == sentence


@pytest.mark.parametrize(
    ("D", "sentence"),
    [
        ([[0.0]], "D: got list, needs a float tensor [N N]; use squared_distances."),
        (torch.zeros(3, 3).long(), "D: got torch.int64, needs a float tensor [N N]; use squared_distances."),
        (torch.zeros(3, 2), "D: got shape [3, 2], needs [N N] with N from 2; use squared_distances."),
        (
            -torch.ones(3, 3),
            "D: got NaN, infinity or a negative number, needs squared distances; use squared_distances.",
        ),
        (
            torch.full((3, 3), math.nan),
            "D: got NaN, infinity or a negative number, needs squared distances; use squared_distances.",
        ),
    ],
)
def test_bad_distances_are_refused(D: Tensor, sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        conditional_probabilities(D, 2)
    assert str(error.value) == sentence

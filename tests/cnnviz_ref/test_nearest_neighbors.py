"""Nearest neighbours against hand computation, one pair at a time in exact arithmetic, and their laws."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from cnnviz_ref import nearest_neighbors
from cnnviz_ref._shortlist import ready, shortlist
from cnnviz_ref.nearest_neighbors import k_smallest, pairwise_distances

METRICS = ("euclidean", "cosine")
X = torch.tensor([[0.0, 5.0], [3.0, 4.0], [0.0, 1.0], [6.0, 8.0], [3.0, 4.0]])


def rows(*shape: int, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def test_five_points_by_hand() -> None:
    d, indices = nearest_neighbors(X, torch.tensor([[0.0, 0.0], [3.0, 4.0]]), k=4)
    assert indices.tolist() == [[2, 0, 1, 4], [1, 4, 0, 2]]
    assert d[0].tolist() == [1, 5, 5, 5]
    assert torch.allclose(d[1], torch.tensor([0, 0, 10, 18]).sqrt(), rtol=1e-6, atol=0)
    assert indices.dtype == torch.int64


def test_cosine_by_hand() -> None:
    d, indices = nearest_neighbors(X, torch.tensor([[0.0, 2.0], [4.0, -3.0]]), k=5, metric="cosine")
    assert indices.tolist() == [[0, 2, 1, 3, 4], [1, 3, 4, 0, 2]]
    # cosines 1, 1 and 4/5; and 0 and -3/5
    expected = torch.tensor([[0, 0, 0.2, 0.2, 0.2], [1, 1, 1, 1.6, 1.6]])
    assert (d - expected).abs().max() < 1e-6


def test_equally_near_rows_come_by_index() -> None:
    x = torch.ones(200, 3)  # more than the 16 up to which an unstable sort is stable by chance
    for metric in METRICS:
        d, indices = nearest_neighbors(x, x[:2], k=7, metric=metric)
        assert indices.tolist() == [list(range(7))] * 2
        assert d.abs().max() == 0
    assert k_smallest(torch.tensor([[3.0, 1.0, 3.0, 1.0]]), 3)[1].tolist() == [[1, 3, 0]]


def test_the_query_is_left_out_by_index_and_its_double_stays() -> None:
    d, indices = nearest_neighbors(X, X, k=1, leave_out=torch.arange(5))
    assert indices[:, 0].tolist() == [1, 4, 0, 1, 1]
    assert d[1] == d[4] == 0
    _, indices = nearest_neighbors(X, X[1:2], k=4, leave_out=torch.tensor([0]))
    assert indices.tolist() == [[1, 4, 2, 3]]


def exact_order(x: Tensor, q: Tensor, metric: str) -> list[list[tuple[float, int]]]:
    """One pair at a time: exact squares of the distance for euclidean, 200 bits for cosine's angle."""
    found = []
    for query in q.tolist():
        pairs = []
        for i, row in enumerate(x.tolist()):
            a, b = [Fraction(v) for v in query], [Fraction(v) for v in row]
            if metric == "euclidean":
                d = root(sum((u - v) ** 2 for u, v in zip(a, b, strict=True)))
            else:
                product = sum(u * v for u, v in zip(a, b, strict=True))
                d = 1 - product / root(sum(u * u for u in a) * sum(v * v for v in b))
            pairs.append((d, i))
        found.append([(float(d), i) for d, i in sorted(pairs)])
    return found


def root(square: Fraction) -> Fraction:
    shift = 400
    return Fraction(math.isqrt(int(square * 4**shift)), 2**shift)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-14)])
@pytest.mark.parametrize("offset", [0, 100])
def test_equals_one_pair_at_a_time(metric: str, dtype: torch.dtype, tolerance: float, offset: float) -> None:
    x, q = rows(9, 7, dtype=dtype) + offset, rows(4, 7, seed=2, dtype=dtype) + offset
    d, indices = nearest_neighbors(x, q, k=9, metric=metric)
    expected = exact_order(x, q, metric)
    assert indices.tolist() == [[i for _, i in pairs] for pairs in expected]
    exact = torch.tensor([[value for value, _ in pairs] for pairs in expected], dtype=torch.float64)
    # a unit vector is rounded at its largest coordinate: that is what cosine's rows may be off by
    allowed = tolerance * exact if metric == "euclidean" else tolerance * (exact + exact.sqrt())
    assert ((d.double() - exact).abs() <= allowed).all()
    assert d.dtype == dtype


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), N=st.integers(1, 40), D=st.integers(1, 70), offset=st.sampled_from([0, 1e4, -1e7]))
def test_law_a_point_is_at_distance_0_from_itself(
    metric: str, dtype: torch.dtype, seed: int, N: int, D: int, offset: float
) -> None:
    x = rows(N, D, seed=seed, dtype=dtype) + offset
    d = pairwise_distances(x, x, metric=metric)
    assert d.diagonal().abs().max() == 0
    assert d.min() >= 0
    assert torch.equal(d, d.T)
    for n in {0, N - 1}:  # whatever else is compared at the same time
        assert pairwise_distances(x[n : n + 1], x, metric=metric)[0, n] == 0
        assert pairwise_distances(x, x[n : n + 1], metric=metric)[n, 0] == 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.sampled_from([2.0**20, -(2.0**22)]))
def test_law_a_common_offset_changes_no_euclidean_distance(seed: int, shift: float) -> None:
    whole = torch.randint(-50, 50, (12, 5), generator=torch.Generator().manual_seed(seed)).float()
    expected = nearest_neighbors(whole, whole[:3], k=12)
    found = nearest_neighbors(whole + shift, whole[:3] + shift, k=12)
    assert torch.equal(found[0], expected[0])
    assert torch.equal(found[1], expected[1])


def test_law_length_does_not_matter_to_cosine() -> None:
    x, q = rows(9, 7, dtype=torch.float32), rows(4, 7, seed=2, dtype=torch.float32)
    expected = nearest_neighbors(x, q, k=9, metric="cosine")
    powers = 2.0 ** torch.arange(-4, 5)[:, None]
    for features, queries in ((x * powers, q), (x, q * 2.0**-120), (x * 2.0**120, q)):
        found = nearest_neighbors(features, queries, k=9, metric="cosine")
        assert torch.equal(found[0], expected[0])
        assert torch.equal(found[1], expected[1])
    third = nearest_neighbors(x / 3, q, k=9, metric="cosine")
    assert torch.equal(third[1], expected[1])
    assert pairwise_distances(x, x / 3, metric="cosine").diagonal().max() < 1e-13


def test_cosine_of_a_tiny_angle_does_not_cancel() -> None:
    angles = torch.tensor([0.0, 1e-9, 3e-9, 1e-8], dtype=torch.float64)
    x = torch.stack([angles.cos(), angles.sin()], dim=1)
    d = pairwise_distances(x[:1], x, metric="cosine")[0]
    assert torch.allclose(d, angles.square() / 2, rtol=1e-12, atol=0)


@pytest.mark.parametrize("metric", METRICS)
@settings(max_examples=20, deadline=None)
@given(data=st.data(), seed=st.integers(0, 10**6), N=st.integers(2, 12), Q=st.integers(1, 6))
def test_laws_of_the_order(metric: str, data: st.DataObject, seed: int, N: int, Q: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randint(1, 4, (N, 2), generator=generator).double()  # small whole numbers: many ties
    q = torch.randint(1, 4, (Q, 2), generator=generator).double()
    left = torch.tensor(data.draw(st.lists(st.integers(0, N - 1), min_size=Q, max_size=Q)))
    k = data.draw(st.integers(1, N - 1))
    d, indices = nearest_neighbors(x, q, k=k, metric=metric, leave_out=left, chunk=data.draw(st.integers(1, 7)))
    everything = pairwise_distances(q, x, metric=metric)
    for n in range(Q):
        expected = sorted((float(everything[n, i]), i) for i in range(N) if i != left[n])[:k]
        assert list(zip(d[n].tolist(), indices[n].tolist(), strict=True)) == expected


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    N=st.integers(2, 150),
    D=st.integers(1, 40),
    k=st.integers(1, 6),
    offset=st.sampled_from([0, 0, 30, 1e5]),
    size=st.sampled_from([1, 1, 1e-3, 1e-18, 1e-22, 1e11]),
    doubles=st.booleans(),
)
def test_law_the_shortlist_changes_no_bit(
    metric: str, dtype: torch.dtype, seed: int, N: int, D: int, k: int, offset: float, size: float, doubles: bool
) -> None:
    x = (rows(N, D, seed=seed, dtype=dtype) + offset) * size
    if doubles:
        x[N // 2 :] = x[: N - N // 2].flip(0) * (1 + torch.finfo(dtype).eps)  # equal or one bit apart
    q, left = x[: min(N, 9)], torch.arange(min(N, 9))
    k = min(k, N - 1)
    d, indices = nearest_neighbors(x, q, k=k, metric=metric, leave_out=left)
    everything = pairwise_distances(q, x, metric=metric)
    everything[left, left] = torch.inf
    expected = k_smallest(everything, k)
    assert torch.equal(d, expected[0])
    assert torch.equal(indices, expected[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
def test_the_shortlist_is_short_except_where_rounding_could_hide_a_neighbour(dtype: torch.dtype) -> None:
    x = rows(300, 100, dtype=dtype).relu()
    assert shortlist(x[:20], ready(x), 5, torch.arange(20)).shape[1] <= 9
    same = torch.ones_like(x)
    assert shortlist(same[:20], ready(same), 5, None).shape[1] == 300
    torch.set_float32_matmul_precision("medium")
    try:
        m = shortlist(x[:20], ready(x), 5, None).shape[1]
    finally:
        torch.set_float32_matmul_precision("highest")
    assert (m == 300) == (dtype == torch.float32)


def test_equal_rows_in_another_memory_layout_are_at_distance_0() -> None:
    x = rows(40, 64, dtype=torch.float32)
    for metric in METRICS:
        assert pairwise_distances(x.T.contiguous().T, x, metric=metric).diagonal().abs().max() == 0


def test_results_hold_no_more_memory_than_they_show() -> None:
    for result in k_smallest(rows(3, 1000), 2):
        assert result.untyped_storage().nbytes() == 3 * 2 * 8


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("equal", [0, 45, 60])  # rows that are equally near, which a shortlist cannot part
def test_nothing_as_large_as_queries_times_rows_times_features_is_made(metric: str, equal: int) -> None:
    sizes: list[int] = []

    class Watching(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = function(*args, **(kwargs or {}))
            sizes.extend(
                t.numel() for t in (result if isinstance(result, tuple) else (result,)) if isinstance(t, Tensor)
            )
            return result

    N, Q, D, chunk = 60, 50, 40, 8
    x, q = rows(N, D) - 5, 5 + rows(Q, D, seed=2)
    x[:equal] = 5
    with Watching():
        nearest_neighbors(x, q, k=3, metric=metric, chunk=chunk)
    assert sizes
    assert max(sizes) <= max(chunk * N, 4 * N * D)
    assert 4 * N * D < Q * N * D / 10


def known_mistakes(x: Tensor, metric: str, k: int) -> dict[str, tuple[Tensor, Tensor]]:
    d = pairwise_distances(x, x, metric=metric)
    own = torch.arange(len(x))
    mistakes = {
        "query not left out": nearest_neighbors(x, x, k=k, metric=metric),
        "largest first": tuple(d.topk(k, dim=1)),
        "features after softmax": nearest_neighbors(x.softmax(1), x.softmax(1), k=k, metric=metric, leave_out=own),
    }
    if metric == "cosine":
        raw = 1 - x @ x.T
        by_batch = x / x.norm(dim=0)
        mistakes["not normalised"] = k_smallest(raw.fill_diagonal_(torch.inf), k)
        mistakes["batch axis"] = k_smallest((1 - by_batch @ by_batch.T).fill_diagonal_(torch.inf), k)
    return mistakes  # type: ignore[return-value]


@pytest.mark.parametrize("metric", METRICS)
def test_known_mistakes_are_far_away(metric: str) -> None:
    x = rows(8, 5)
    d, indices = nearest_neighbors(x, x, k=3, metric=metric, leave_out=torch.arange(8))
    for name, (wrong_d, wrong_indices) in known_mistakes(x, metric, 3).items():
        assert (d - wrong_d).abs().max() > 1e-2 * d.abs().max(), name
        assert not torch.equal(indices, wrong_indices), name


def test_results_are_detached_and_inputs_stay() -> None:
    x = rows(5, 3).requires_grad_()
    before = x.detach().clone()
    for metric in METRICS:
        d, _ = nearest_neighbors(x, x, k=2, metric=metric, leave_out=torch.arange(5))
        assert not d.requires_grad
    assert torch.equal(x, before)


ZERO = "is all 0, but cosine needs a direction; leave the row away or choose metric='euclidean'."


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"k": 6}, "k: got 6, but the data set has 5 rows; choose a whole number from 1 to 5."),
        ({"k": 0}, "k: got 0, but the data set has 5 rows; choose a whole number from 1 to 5."),
        ({"k": 2.0}, "k: got 2.0, but the data set has 5 rows; choose a whole number from 1 to 5."),
        (
            {"k": 5, "leave_out": torch.tensor([0, 0])},
            "k: got 5, but the data set has 5 rows, of which one is left out; choose a whole number from 1 to 4.",
        ),
        ({"metric": "manhattan"}, "metric: got 'manhattan', needs one of 'euclidean', 'cosine'; choose one of them."),
        (
            {"queries": torch.ones(2, 3)},
            "queries: got 3 numbers a row, but the features have 2; embed both with one layer.",
        ),
        (
            {"queries": torch.ones(2, 2).double()},
            "queries: got torch.float64 on cpu, but the features are torch.float32 on cpu; use queries.to(features).",
        ),
        ({"queries": torch.ones(2)}, "queries: got shape [2], needs [Q D]; one row is x[None]."),
        ({"features": torch.ones(0, 2)}, "features: got shape [0, 2], needs [N D]; one row is x[None]."),
        ({"features": [[1.0, 2.0]]}, "features: got list, needs a tensor [N D]; make one with embed."),
        (
            {"features": X.int()},
            "features: got torch.int32, needs torch.float32 or torch.float64; convert with x.float().",
        ),
        (
            {"queries": torch.tensor([[1.0, torch.nan]])},
            "queries: got NaN or infinity, needs finite values; look at how they were computed.",
        ),
        (
            {"features": X * torch.inf},
            "features: got NaN or infinity, needs finite values; look at how they were computed.",
        ),
        (
            {"features": X * 1e30},
            "features: got values up to 8.0e+30, whose squares overflow torch.float32; "
            "divide features and queries by one number.",
        ),
        ({"queries": torch.zeros(1, 2), "metric": "cosine"}, f"queries: row 0 {ZERO}"),
        ({"features": X - X[1], "metric": "cosine"}, f"features: row 1 {ZERO}"),
        (
            {"leave_out": torch.tensor([0])},
            "leave_out: got torch.int64 [1], needs torch.int64 [2]; give each query's own row in the data set.",
        ),
        ({"leave_out": 0}, "leave_out: got int, needs torch.int64 [2]; give each query's own row in the data set."),
        (
            {"leave_out": torch.tensor([-1, 5])},
            "leave_out: got rows -1 to 5, but the data set has rows 0 to 4; choose there.",
        ),
        ({"chunk": 0}, "chunk: got 0, needs a whole number from 1; try 64."),
    ],
)
def test_bad_arguments_are_refused(changed: dict, sentence: str) -> None:
    arguments = {"features": X, "queries": X[:2], "k": 2, **changed}
    with pytest.raises(ValueError) as error:  # noqa: PT011
        nearest_neighbors(**arguments)
    assert str(error.value) == sentence

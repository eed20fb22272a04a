"""Inputs and laws of lesson 2, nearest neighbours: small float64 inputs on which every known mistake shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from autograder.records import Arrays, Call
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, NamesakeNet

SIZE = (12, 8)


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


# 1. embed


def _seen_by(net: nn.Module, layer: str, generator: Generator, *, n: int, frozen: bool = False) -> Call:
    net = net.double()
    if frozen:
        net.requires_grad_(False)
    return Call({"model": net, "images": _randn(generator, n, 3, *SIZE), "layer": layer})


def _awkward(generator: Generator) -> list[Call]:
    """A layer whose name is part of others; a network that fails in the forward pass, before it is asked again."""
    busy = BusyNet(interrupts=True, channels=(4, 5), generator=generator)
    return [
        _seen_by(NamesakeNet(width=6, generator=generator), "conv1", generator, n=2),
        _seen_by(busy, "features.2", generator, n=1),
    ]


def in_place(generator: Generator) -> list[Call]:
    """An in-place ReLU right after the layer; the network's last layer, and a single image."""
    gap = GapNet(channels=(4, 6), inplace=True, generator=generator)
    return [
        _seen_by(gap, "features.0", generator, n=3),
        _seen_by(GapNet(channels=(4, 7), stride=2, generator=generator), "features", generator, n=1),
        *_awkward(generator),
    ]


def other_networks(generator: Generator) -> list[Call]:
    """A functional in-place ReLU, frozen; BatchNorm and dropout; a network without average pooling."""
    functional = FunctionalNet(channels=(4, 5, 4, 6), generator=generator)
    flatten = FlattenNet(size=SIZE, channels=(4, 6), generator=generator)
    return [
        _seen_by(functional, "features.conv2", generator, n=3, frozen=True),
        _seen_by(BatchNormNet(channels=(4, 6), generator=generator), "features.4", generator, n=2),
        _seen_by(flatten, "features.3", generator, n=1, frozen=True),
        *_awkward(generator),
    ]


def pooled(generator: Generator) -> list[Call]:
    """A network that ends in GAP and one linear layer."""
    return [_seen_by(GapNet(channels=(4, 6), generator=generator), "features", generator, n=3)]


def scores_again(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The linear layer on x gives the scores."""
    model, images = calls[0].inputs["model"], calls[0].inputs["images"]
    with torch.no_grad():
        return _relative(_array(model.classifier(torch.as_tensor(results[0][0]).double())), _array(model(images)))


def batch_and_singles(generator: Generator) -> list[Call]:
    """Three images together, and each alone."""
    call = _seen_by(GapNet(channels=(4, 6), generator=generator), "features.2", generator, n=3)
    images = call.inputs["images"]
    return [call, *(Call({**call.inputs, "images": images[[n]]}) for n in range(3))]


def as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """x_n does not depend on the other images."""
    together, *alone = (result[0] for result in results)
    return _relative(np.concatenate(alone), together)


# 2. and 3. distances


def rows(generator: Generator, q: int, n: int, d: int) -> Call:
    """Rows of unlike lengths, whose columns have unlike means and spreads."""
    spread = 0.5 + torch.rand(d, generator=generator, dtype=torch.float64)
    lengths = 0.4 + 1.6 * torch.rand(q + n, 1, generator=generator, dtype=torch.float64)
    both = lengths * (0.5 + spread * _randn(generator, q + n, d))
    return Call({"queries": both[:q].clone(), "features": both[q:].clone()})


def with_a_twin(generator: Generator, q: int, n: int, d: int) -> Call:
    """One image of the data set is the same as the first query."""
    call = rows(generator, q, n, d)
    call.inputs["features"][n - 2] = call.inputs["queries"][0]
    return call


def far_away(generator: Generator, q: int, n: int, d: int) -> Call:
    """In single precision: whole numbers near to each other, and so far from 0 that ‖q‖² has no place for them."""
    both = 2.0**20 + torch.randint(-9, 10, (q + n, d), generator=generator).float()
    return Call({"queries": both[:q].clone(), "features": both[q:].clone()})


def far_twins(generator: Generator) -> list[Call]:
    """Rows, one of the data set the same as a query; rows near to each other in single precision."""
    return [with_a_twin(generator, 3, 5, 4), far_away(generator, 2, 3, 4)]


def other_twins(generator: Generator) -> list[Call]:
    """Other sizes, and a single query."""
    return [with_a_twin(generator, 4, 6, 3), rows(generator, 1, 3, 7), far_away(generator, 3, 2, 5)]


def tiny(call: Call) -> Call:
    """The same directions; the queries are hardly longer than 0."""
    return Call({**call.inputs, "queries": 1e-5 * call.inputs["queries"]})


def short_queries(generator: Generator) -> list[Call]:
    """Rows; and queries that are hardly longer than 0."""
    return [rows(generator, 3, 5, 4), tiny(rows(generator, 2, 4, 3))]


def other_queries(generator: Generator) -> list[Call]:
    """An image in the direction of a query, a single query, and queries that are hardly longer than 0."""
    return [with_a_twin(generator, 4, 6, 3), rows(generator, 1, 3, 7), tiny(rows(generator, 3, 2, 4))]


def moved_calls(generator: Generator) -> list[Call]:
    """The same rows as they are; turned and moved together; three times as long."""
    call = rows(generator, 3, 5, 4)
    turn, shift = torch.linalg.qr(_randn(generator, 4, 4)).Q, _randn(generator, 4)
    return [
        call,
        Call({name: value @ turn + shift for name, value in call.inputs.items()}),
        Call({name: 3 * value for name, value in call.inputs.items()}),
    ]


def moved(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """d does not see a turn or a shift, and grows with the size."""
    plain, turned, longer = (result[0] for result in results)
    return max(_relative(turned, plain), _relative(longer, 3 * plain))


def lengthened_calls(generator: Generator) -> list[Call]:
    """The same rows as they are; each with another length; the queries turned round."""
    call = rows(generator, 3, 5, 4)
    q, x = call.inputs["queries"], call.inputs["features"]
    lengths = 0.2 + 3 * torch.rand(8, 1, generator=generator, dtype=torch.float64)
    return [
        call,
        Call({"queries": lengths[:3] * q, "features": lengths[3:] * x}),
        Call({"queries": -q, "features": x}),
    ]


def only_directions(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """d does not see lengths, and the opposite direction has 2 - d."""
    plain, lengthened, opposite = (result[0] for result in results)
    return max(_relative(lengthened, plain), _relative(opposite, 2 - plain))


# 4. and 5. tables of distances


def _grid_points(generator: Generator, n: int) -> Tensor:
    """Points of a small grid of whole numbers: some equal, and many pairs equally far apart."""
    return torch.randint(0, 4, (n, 2), generator=generator).double()


def _table(points: Tensor, others: Tensor, generator: Generator) -> Tensor:
    unit = 0.5 + torch.rand(1, generator=generator, dtype=torch.float64)
    return (points[:, None] - others[None]).square().sum(2).sqrt() * unit


def tied(generator: Generator, q: int, n: int, k: int) -> Call:
    """Distances with ties."""
    return Call({"distances": _table(_grid_points(generator, q), _grid_points(generator, n), generator), "k": k})


def nearly_tied(generator: Generator, n: int) -> Call:
    """All of n distances, of which neighbours differ in the fifth digit and the farther one comes first."""
    distances = 1 + torch.arange(n - 1, -1, -1)[None].double() // 2 + 1e-5 * torch.rand(1, n, generator=generator)
    return Call({"distances": distances.sort(descending=True).values, "k": n})


def ties(generator: Generator) -> list[Call]:
    """Ties; and all of some distances that are nearly equal."""
    return [tied(generator, 4, 10, 4), nearly_tied(generator, 6)]


def more_ties(generator: Generator) -> list[Call]:
    """More ties, a single query; and all of some distances that are nearly equal."""
    return [tied(generator, 3, 12, 5), tied(generator, 1, 7, 3), nearly_tied(generator, 8)]


def own_rows(generator: Generator, q: int, n: int, k: int) -> Call:
    """Queries from the data set, not in its order, some of them with duplicates."""
    points = _grid_points(generator, n)
    own = torch.randperm(n, generator=generator)[:q]
    return Call({"distances": _table(points[own], points, generator), "rows": own, "k": k})


def changed_copy(generator: Generator, n: int, unit: float = 1.0) -> Call:
    """One query that is a changed copy of an image, at some distance from it; all others are asked for."""
    distances = unit * (0.5 + torch.randperm(n, generator=generator)[None].double())
    return Call({"distances": distances, "rows": torch.randint(0, n, (1,), generator=generator), "k": n - 1})


def nothing_nearer(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """d are the table's entries at the indices, ascending, and no image that is not found is nearer than the last."""
    worst = 0.0
    for call, (found, indices) in zip(calls, results, strict=True):
        table = _array(call.inputs["distances"])
        if indices.min() < 0 or indices.max() >= table.shape[1]:
            return 1.0
        rest = table.copy()
        np.put_along_axis(rest, indices.astype(np.int64), np.inf, axis=1)
        worst = max(
            worst,
            _relative(found, np.take_along_axis(table, indices.astype(np.int64), axis=1)),
            float(np.maximum(found[:, :-1] - found[:, 1:], 0).max(initial=0.0)),
            float(np.maximum(found.max(1) - rest.min(1), 0).max(initial=0.0)),
        )
    return worst


def own_never_found(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Share of the queries that find the row that they leave out."""
    return max(
        float((indices == _array(call.inputs["rows"])[:, None]).any(1).mean())
        for call, (_, indices) in zip(calls, results, strict=True)
    )

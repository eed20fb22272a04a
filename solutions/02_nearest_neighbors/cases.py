"""Inputs and laws of nearest neighbours: small float64 inputs, names that contain each other, ties and duplicates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import array, between, randn, relative
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, NamesakeNet
from cnnviz_ref import embed

SIZE = (12, 8)
LARGE = 1e12
"""A unit in which distances are larger than what people take for large."""


def seen_by(net: nn.Module, layer: str, generator: Generator, *, n: int, frozen: bool = False) -> Call:
    net = net.double().requires_grad_(not frozen)
    return Call({"model": net, "images": randn(generator, n, 3, *SIZE), "layer": layer})


def awkward(generator: Generator) -> list[Call]:
    """A layer whose name is part of others; a network that fails in the forward pass, before it is asked again."""
    busy = BusyNet(interrupts=True, channels=(4, 5), generator=generator)
    return [
        seen_by(NamesakeNet(width=6, generator=generator), "conv1", generator, n=2),
        seen_by(busy, "features.2", generator, n=1),
    ]


def in_place(generator: Generator) -> list[Call]:
    """An in-place ReLU right after the layer; the network's last layer, and a single image."""
    gap = GapNet(channels=(4, 6), inplace=True, generator=generator)
    return [
        seen_by(gap, "features.0", generator, n=3),
        seen_by(GapNet(channels=(4, 7), stride=2, generator=generator), "features", generator, n=1),
        *awkward(generator),
    ]


def other_networks(generator: Generator) -> list[Call]:
    """A functional in-place ReLU, frozen; BatchNorm and dropout; a network without average pooling."""
    functional = FunctionalNet(channels=(4, 5, 4, 6), generator=generator)
    flatten = FlattenNet(size=SIZE, channels=(4, 6), generator=generator)
    return [
        seen_by(functional, "features.conv2", generator, n=3, frozen=True),
        seen_by(BatchNormNet(channels=(4, 6), generator=generator), "features.4", generator, n=2),
        seen_by(flatten, "features.3", generator, n=1, frozen=True),
        *awkward(generator),
    ]


def pooled(generator: Generator) -> list[Call]:
    """A network that ends in GAP and one linear layer."""
    return [seen_by(GapNet(channels=(4, 6), generator=generator), "features", generator, n=3)]


def scores_again(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    model, images = calls[0].inputs["model"], calls[0].inputs["images"]
    with torch.no_grad():
        return relative(array(model.classifier(torch.as_tensor(results[0][0]).double())), array(model(images)))


def batch_and_singles(generator: Generator) -> list[Call]:
    """Three images together, and each alone."""
    call = seen_by(GapNet(channels=(4, 6), generator=generator), "features.2", generator, n=3)
    images = call.inputs["images"]
    return [call, *(Call({**call.inputs, "images": images[[n]]}) for n in range(3))]


def as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    together, *alone = (result[0] for result in results)
    return relative(np.concatenate(alone), together)


def rows(generator: Generator, q: int, n: int, d: int) -> Call:
    """Rows of unlike lengths, whose columns have unlike means and spreads."""
    spread, lengths = between(generator, 0.5, 1.5, d), between(generator, 0.4, 2.0, q + n, 1)
    both = lengths * (0.5 + spread * randn(generator, q + n, d))
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
    return [with_a_twin(generator, 3, 5, 4), far_away(generator, 2, 3, 4)]


def other_twins(generator: Generator) -> list[Call]:
    return [with_a_twin(generator, 4, 6, 3), rows(generator, 1, 3, 7), far_away(generator, 3, 2, 5)]


def tiny(call: Call) -> Call:
    """The same directions; the queries are hardly longer than 0."""
    return Call({**call.inputs, "queries": 1e-5 * call.inputs["queries"]})


def short_queries(generator: Generator) -> list[Call]:
    return [rows(generator, 3, 5, 4), tiny(rows(generator, 2, 4, 3))]


def other_queries(generator: Generator) -> list[Call]:
    return [with_a_twin(generator, 4, 6, 3), rows(generator, 1, 3, 7), tiny(rows(generator, 3, 2, 4))]


def moved_rows(generator: Generator) -> list[Call]:
    """The same rows as they are; turned and moved together; three times as long."""
    call = rows(generator, 3, 5, 4)
    turn, shift = torch.linalg.qr(randn(generator, 4, 4)).Q, randn(generator, 4)
    return [
        call,
        Call({name: value @ turn + shift for name, value in call.inputs.items()}),
        Call({name: 3 * value for name, value in call.inputs.items()}),
    ]


def moved(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    plain, turned, longer = (result[0] for result in results)
    return max(relative(turned, plain), relative(longer, 3 * plain))


def lengthened(generator: Generator) -> list[Call]:
    """The same rows as they are; each with another length; the queries turned round."""
    call = rows(generator, 3, 5, 4)
    q, x = call.inputs["queries"], call.inputs["features"]
    lengths = between(generator, 0.2, 3.2, 8, 1)
    return [
        call,
        Call({"queries": lengths[:3] * q, "features": lengths[3:] * x}),
        Call({"queries": -q, "features": x}),
    ]


def only_directions(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    plain, longer, opposite = (result[0] for result in results)
    return max(relative(longer, plain), relative(opposite, 2 - plain))


def grid_points(generator: Generator, n: int) -> Tensor:
    """Points of a small grid of whole numbers: some equal, and many pairs equally far apart."""
    return torch.randint(0, 4, (n, 2), generator=generator).double()


def table(points: Tensor, others: Tensor, generator: Generator) -> Tensor:
    """Distances in some unit."""
    return (points[:, None] - others[None]).square().sum(2).sqrt() * between(generator, 0.5, 1.5, 1)


def tied(generator: Generator, q: int, n: int, k: int) -> Call:
    """Ties, and two images that are the same as the first query."""
    queries, points = grid_points(generator, q), grid_points(generator, n)
    points[1] = points[-1] = queries[0]
    return Call({"distances": table(queries, points, generator), "k": k})


def nearly_tied(generator: Generator, n: int) -> Call:
    """All of n distances, of which neighbours differ in the fifth digit and the farther one comes first."""
    distances = 1 + torch.arange(n - 1, -1, -1)[None].double() // 2 + 1e-5 * torch.rand(1, n, generator=generator)
    return Call({"distances": distances.sort(descending=True).values, "k": n})


def ties(generator: Generator) -> list[Call]:
    return [tied(generator, 4, 10, 4), nearly_tied(generator, 6)]


def more_ties(generator: Generator) -> list[Call]:
    return [tied(generator, 3, 12, 5), tied(generator, 1, 7, 3), nearly_tied(generator, 8)]


def own_rows(generator: Generator, q: int, n: int, k: int) -> Call:
    """Queries from the data set, not in its order; its first and its last image are the same as the first query."""
    points, own = grid_points(generator, n), 1 + torch.randperm(n - 2, generator=generator)[:q]
    points[0] = points[-1] = points[own[0]]
    return Call({"distances": table(points[own], points, generator), "rows": own, "k": k})


def changed_copy(generator: Generator, n: int, unit: float = 1.0) -> Call:
    """One query that is a changed copy of an image, at some distance from it; the last image is the farthest."""
    places = torch.cat([torch.randperm(n - 1, generator=generator), torch.tensor([n - 1])])
    own = torch.randint(0, n - 1, (1,), generator=generator)
    return Call({"distances": unit * (0.5 + places[None].double()), "rows": own, "k": n - 1})


def duplicates(generator: Generator) -> list[Call]:
    return [own_rows(generator, 4, 10, 4), changed_copy(generator, 6), changed_copy(generator, 5, LARGE)]


def more_duplicates(generator: Generator) -> list[Call]:
    return [own_rows(generator, 3, 12, 5), changed_copy(generator, 8), changed_copy(generator, 6, LARGE)]


def nothing_nearer(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """d are the table's entries at the indices, ascending, and no image that is not found is nearer than the last."""
    distances, (found, indices) = array(calls[0].inputs["distances"]), results[0]
    if indices.min() < 0 or indices.max() >= distances.shape[1]:
        return 1.0
    indices, rest = indices.astype(np.int64), distances.copy()
    np.put_along_axis(rest, indices, np.inf, axis=1)
    falls, nearer = found[:, :-1] - found[:, 1:], found.max(1) - rest.min(1)
    return max(relative(found, np.take_along_axis(distances, indices, axis=1)), float(falls.max()), float(nearer.max()))


def own_never_found(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Share of the queries that find the row that they leave out."""
    return float((results[0][1] == array(calls[0].inputs["rows"])[:, None]).any(1).mean())


def sorted_scans() -> Call:
    """Sixty handwritten digits, sorted by class: d has blocks."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    features = torch.as_tensor(pixels[:60][labels[:60].argsort(kind="stable")])
    return Call({"queries": features, "features": features})


def sorted_canvases() -> Call:
    """Sixty cluttered digits, sorted by class, as `digit_net` sees them."""
    canvases = cnnviz.cluttered_digits(60, seed=0, split="test")
    features = embed(cnnviz.digit_net(), canvases.images[canvases.labels.argsort(stable=True)], "features")
    return Call({"queries": features, "features": features})


CHECKS = {
    "embed": Checks(
        reference=embed,
        cases=(
            Case("an in-place ReLU after the layer, names that contain each other, a pass that fails", in_place),
            Case(
                "other networks, frozen, with BatchNorm and dropout; again names, and a pass that fails",
                other_networks,
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "classifier_on_x_gives_y",
                "Where GAP and one linear layer follow, that linear layer on x gives the scores: x is all that the "
                "decision sees.",
                pooled,
                scores_again,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's row is the same alone as in a batch.",
                batch_and_singles,
                as_in_the_batch,
            ),
        ),
    ),
    "euclidean_distances": Checks(
        cases=(
            Case("an image that is the same as a query; rows near to each other in float32", far_twins),
            Case("other sizes, a single query, and rows near to each other in float32", other_twins, hidden=True),
        ),
        laws=(
            Law(
                "turned_moved_enlarged",
                "Turning and moving all rows together changes no d; three times the size makes each d 3 times larger.",
                moved_rows,
                moved,
            ),
        ),
        showcase=sorted_scans,
    ),
    "cosine_distances": Checks(
        cases=(
            Case("three queries, five images, four features; queries that are hardly longer than 0", short_queries),
            Case("other sizes, an image that is the same as a query; short queries", other_queries, hidden=True),
        ),
        laws=(
            Law(
                "only_directions",
                "The length of a row does not matter, and turning a query round (-q for q) makes d into 2 - d.",
                lengthened,
                only_directions,
            ),
        ),
        showcase=sorted_canvases,
    ),
    "nearest": Checks(
        cases=(
            Case("four queries, ten images, ties; all images, some of them nearly as near as others", ties),
            Case(
                "other sizes, more ties, a single query; all images, some of them nearly as near as others",
                more_ties,
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "nothing_nearer",
                "d are the entries of the table at the indices, ascending, and no image that is left is nearer.",
                lambda generator: [tied(generator, 4, 9, 3)],
                nothing_nearer,
            ),
        ),
    ),
    "nearest_others": Checks(
        cases=(
            Case(
                "four queries of a data set with duplicates; a changed copy, in a small and in a large unit", duplicates
            ),
            Case("other sizes, more duplicates, a large unit", more_duplicates, hidden=True, points=2),
        ),
        laws=(
            Law(
                "own_row_never_found",
                "No query finds the row that it leaves out, rows[q].",
                lambda generator: [own_rows(generator, 5, 9, 3)],
                own_never_found,
            ),
        ),
    ),
}

"""Wrong answers to the exercises on nearest neighbours, as students write them."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from tests.exercises.written import variants

nearest_by_sort = variants("nearest_neighbors").nearest_by_sort


def _embed_at(find, pool=lambda output: output.mean((2, 3))):
    """The mean of the maps of the module that `find` picks of (model, layer)."""

    def embed(model, images, layer):
        kept = []
        handle = find(model, layer).register_forward_hook(lambda module, inputs, output: kept.append(pool(output)))
        try:
            with torch.no_grad():
                model(images)
        finally:
            handle.remove()
        return kept[0].detach()

    return embed


def _last_of(test):
    return lambda model, layer: [module for name, module in model.named_modules() if test(name, layer)][-1]


def _first_of(test):
    return lambda model, layer: next(module for name, module in model.named_modules() if test(name, layer))


def _named(name, function):
    function.__name__ = name
    return function


def by_name(model, layer):
    return model.get_submodule(layer)


EMBED = (
    _named("embed_last_with_the_name_in_it", _embed_at(_last_of(lambda name, layer: layer in name))),
    _named("embed_first_with_the_name_in_it", _embed_at(_first_of(lambda name, layer: layer in name))),
    _named("embed_first_that_begins_so", _embed_at(_first_of(lambda name, layer: name.startswith(layer)))),
    _named("embed_first_that_ends_so", _embed_at(_first_of(lambda name, layer: name.endswith(layer)))),
    _named("embed_last_that_ends_so", _embed_at(_last_of(lambda name, layer: name.endswith(layer)))),
    _named("embed_with_a_relu", _embed_at(by_name, lambda output: output.relu().mean((2, 3)))),
    _named("embed_over_the_height_twice", _embed_at(by_name, lambda output: output.sum((2, 3)) / output.shape[2] ** 2)),
    _named("embed_squeezed", _embed_at(by_name, lambda output: output.mean((2, 3)).squeeze(0))),
    _named("embed_median", _embed_at(by_name, lambda output: output.flatten(2).median(-1).values)),
)


def euclidean_expanded(queries, features):
    squares = queries.square().sum(1)[:, None] + features.square().sum(1) - 2 * queries @ features.T
    return squares.clamp(min=0).sqrt()


def euclidean_expanded_and_nan(queries, features):
    return (queries.square().sum(1)[:, None] + features.square().sum(1) - 2 * queries @ features.T).sqrt()


def euclidean_by_matrix_cdist(queries, features):
    return torch.cdist(queries, features, compute_mode="use_mm_for_euclid_dist")


def euclidean_pairwise(queries, features):
    return F.pairwise_distance(queries[:, None], features[None], eps=1e-2)


def euclidean_of_pairs_in_order(queries, features):
    n = min(len(queries), len(features))
    return (queries[:n, None] - features[None, :n]).norm(dim=2)


def euclidean_never_zero(queries, features):
    return ((queries[:, None] - features).square().sum(2) + 0.1).sqrt()


def cosine_with_an_epsilon(queries, features):
    lengths = queries.norm(dim=1)[:, None] * features.norm(dim=1)
    return 1 - queries @ features.T / (lengths + 1e-6)


def cosine_with_a_smallest_length(queries, features):
    return 1 - F.normalize(queries, eps=1e-4) @ F.normalize(features, eps=1e-4).T


def cosine_clamped(queries, features):
    return (1 - F.normalize(queries) @ F.normalize(features).T).clamp(max=1)


def cosine_of_positive_parts(queries, features):
    return 1 - F.normalize(queries.relu()) @ F.normalize(features.relu()).T


def cosine_of_lengths_together(queries, features):
    return 1 - queries @ features.T / (queries.norm(dim=1)[:, None] + features.norm(dim=1)) * 2


def nearest_by_rounded(distances, k):
    indices = distances.round(decimals=3).argsort(dim=1, stable=True)[:, :k]
    return distances.gather(1, indices), indices


def nearest_from_the_other_end(distances, k):
    d, indices = distances.flip(1).sort(dim=1, stable=True)
    return d[:, :k], distances.shape[1] - 1 - indices[:, :k]


def nearest_without_zeros(distances, k):
    return nearest_by_sort(distances.masked_fill(distances == 0, torch.inf), k)


def nearest_one_less(distances, k):
    return nearest_by_sort(distances, min(k, distances.shape[1] - 1))


def nearest_each_once(distances, k):
    """Of equal distances only the first counts."""
    found = [list({d: n for n, d in reversed(list(enumerate(row)))}.items()) for row in distances.tolist()]
    indices = [[n for _, n in sorted(row)] for row in found]
    indices = torch.tensor([(row + list(range(distances.shape[1])))[:k] for row in indices])
    return distances.gather(1, indices), indices


def others_behind_a_large_number(distances, rows, k):
    return nearest_by_sort(distances.scatter(1, rows[:, None], 1e6), k)


def others_behind_the_largest(distances, rows, k):
    return nearest_by_sort(distances.scatter(1, rows[:, None], distances.max().item()), k)


def others_that_are_apart(distances, rows, k):
    return nearest_by_sort(distances.masked_fill(distances < 1e-3, torch.inf), k)


def others_by_a_multiplication(distances, rows, k):
    return nearest_by_sort(distances.scatter(1, rows[:, None], distances.max().item() * 0.5), k)


def others_without_the_nearest(distances, rows, k):
    return nearest_by_sort(distances.scatter(1, distances.argmin(1, keepdim=True), torch.inf), k)


WRONG = {
    "nearest_neighbors.embed": EMBED,
    "nearest_neighbors.euclidean_distances": (
        euclidean_expanded,
        euclidean_expanded_and_nan,
        euclidean_by_matrix_cdist,
        euclidean_pairwise,
        euclidean_of_pairs_in_order,
        euclidean_never_zero,
    ),
    "nearest_neighbors.cosine_distances": (
        cosine_with_an_epsilon,
        cosine_with_a_smallest_length,
        cosine_clamped,
        cosine_of_positive_parts,
        cosine_of_lengths_together,
    ),
    "nearest_neighbors.nearest": (
        nearest_by_rounded,
        nearest_from_the_other_end,
        nearest_without_zeros,
        nearest_one_less,
        nearest_each_once,
    ),
    "nearest_neighbors.nearest_others": (
        others_behind_a_large_number,
        others_behind_the_largest,
        others_that_are_apart,
        others_by_a_multiplication,
        others_without_the_nearest,
    ),
}

"""Right answers to the exercises on nearest neighbours, written in different ways."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F


def embed_inside_the_hook(model, images, layer):
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, output: kept.append(output.mean((2, 3))))
    try:
        with torch.no_grad():
            model(images)
    finally:
        handle.remove()
    return kept[0]


def embed_a_clone(model, images, layer):
    kept = {}

    def keep(module, inputs, output):
        kept["A"] = output.detach().clone()

    handle = dict(model.named_modules())[layer].register_forward_hook(keep)
    try:
        model(images)
    finally:
        handle.remove()
    return F.adaptive_avg_pool2d(kept["A"], 1)[:, :, 0, 0]


def embed_by_a_patched_forward(model, images, layer):
    module, kept = model.get_submodule(layer), []
    original = module.forward

    def forward(x):
        output = original(x)
        kept.append(output.flatten(2).mean(-1).detach())
        return output

    module.forward = forward
    try:
        model(images)
    finally:
        del module.forward
    return kept[0]


def embed_one_by_one(model, images, layer):
    return torch.cat([embed_inside_the_hook(model, image[None], layer) for image in images])


def embed_by_stopping(model, images, layer):
    """The forward pass ends where the features are found."""

    class Found(Exception):
        pass

    def stop(module, inputs, output):
        raise Found(output.sum((2, 3)) / output[0, 0].numel())

    handle = model.get_submodule(layer).register_forward_hook(stop)
    try:
        model(images)
    except Found as found:
        return found.args[0].detach()
    finally:
        handle.remove()


def embed_in_float32(model, images, layer):
    return embed_inside_the_hook(copy.deepcopy(model).float(), images.float(), layer)


def euclidean_by_broadcast(queries, features):
    return (queries[:, None] - features[None]).square().sum(dim=2).sqrt()


def euclidean_by_norm(queries, features):
    return torch.linalg.vector_norm(queries.unsqueeze(1) - features, dim=-1)


def euclidean_by_cdist(queries, features):
    return torch.cdist(queries, features)


def euclidean_by_loops(queries, features):
    d = torch.zeros(len(queries), len(features), dtype=queries.dtype)
    for i, q in enumerate(queries):
        for j, x in enumerate(features):
            d[i, j] = math.sqrt(sum((a - b) ** 2 for a, b in zip(q.tolist(), x.tolist(), strict=True)))
    return d


def euclidean_row_by_row(queries, features):
    return torch.stack([(features - q).pow(2).sum(1) ** 0.5 for q in queries])


def euclidean_by_numpy(queries, features):
    return torch.from_numpy(np.linalg.norm(queries.numpy()[:, None] - features.numpy(), axis=-1))


def euclidean_in_float32(queries, features):
    return euclidean_by_broadcast(queries.float(), features.float())


def cosine_by_unit_rows(queries, features):
    return 1 - F.normalize(queries) @ F.normalize(features).T


def cosine_by_lengths(queries, features):
    lengths = queries.norm(dim=1)[:, None] * features.norm(dim=1)[None]
    return 1 - queries @ features.T / lengths


def cosine_by_torch(queries, features):
    return 1 - torch.cosine_similarity(queries[:, None], features[None], dim=2)


def cosine_by_differences(queries, features):
    q, x = queries / queries.norm(dim=1, keepdim=True), features / features.norm(dim=1, keepdim=True)
    return (q[:, None] - x).square().sum(-1) / 2


def cosine_by_einsum(queries, features):
    q = queries / torch.einsum("qd,qd->q", queries, queries).sqrt()[:, None]
    x = features / torch.einsum("nd,nd->n", features, features).sqrt()[:, None]
    return 1.0 - torch.einsum("qd,nd->qn", q, x)


def cosine_by_loops(queries, features):
    return torch.stack([torch.stack([1 - q.dot(x) / (q.norm() * x.norm()) for x in features]) for q in queries])


def cosine_in_float32(queries, features):
    return cosine_by_unit_rows(queries.float(), features.float())


def nearest_by_sort(distances, k):
    d, indices = distances.sort(dim=1, stable=True)
    return d[:, :k], indices[:, :k]


def nearest_by_argsort(distances, k):
    indices = torch.argsort(distances, dim=-1, stable=True)[:, :k]
    return torch.gather(distances, 1, indices), indices


def nearest_by_python(distances, k):
    found = [sorted(range(len(row)), key=row.__getitem__)[:k] for row in distances.tolist()]
    indices = torch.tensor(found)
    return torch.take_along_dim(distances, indices, dim=1), indices


def nearest_by_numpy(distances, k):
    indices = np.argsort(distances.numpy(), axis=1, kind="stable")[:, :k].copy()
    return torch.from_numpy(np.take_along_axis(distances.numpy(), indices, axis=1)), torch.from_numpy(indices)


def nearest_one_at_a_time(distances, k):
    left, d, indices = distances.clone(), [], []
    queries = torch.arange(len(left))
    for _ in range(k):
        first = (left == left.amin(dim=1, keepdim=True)).int().argmax(dim=1)
        d.append(left[queries, first])
        indices.append(first)
        left[queries, first] = torch.inf
    return torch.stack(d, dim=1), torch.stack(indices, dim=1)


def nearest_in_float32(distances, k):
    return nearest_by_sort(distances.float(), k)


def others_by_index(distances, rows, k):
    d = distances.clone()
    d[torch.arange(len(rows)), rows] = float("inf")
    return nearest_by_sort(d, k)


def others_by_mask(distances, rows, k):
    own = F.one_hot(rows, distances.shape[1]).bool()
    return nearest_by_argsort(torch.where(own, torch.inf, distances), k)


def others_by_scatter(distances, rows, k):
    return nearest_one_at_a_time(distances.scatter(1, rows[:, None], torch.inf), k)


def others_one_more(distances, rows, k):
    """The k + 1 nearest, without the own row, or without the last where the own row is not among them."""
    found = []
    for order, own in zip(nearest_by_sort(distances, k + 1)[1].tolist(), rows.tolist(), strict=True):
        found.append([n for n in order if n != own][:k])
    indices = torch.tensor(found)
    return distances.gather(1, indices), indices


def others_in_the_rest(distances, rows, k):
    """Without the own column, and the indices moved back."""
    Q, N = distances.shape
    rest = distances[torch.arange(N) != rows[:, None]].view(Q, N - 1)
    d, indices = nearest_by_sort(rest, k)
    return d, indices + (indices >= rows[:, None])


def others_in_float32(distances, rows, k):
    return others_by_index(distances.float(), rows, k)


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "nearest_neighbors.embed": (
        embed_inside_the_hook,
        embed_a_clone,
        embed_by_a_patched_forward,
        embed_one_by_one,
        embed_by_stopping,
        embed_in_float32,
    ),
    "nearest_neighbors.euclidean_distances": (
        euclidean_by_broadcast,
        euclidean_by_norm,
        euclidean_by_cdist,
        euclidean_by_loops,
        euclidean_row_by_row,
        euclidean_by_numpy,
        euclidean_in_float32,
    ),
    "nearest_neighbors.cosine_distances": (
        cosine_by_unit_rows,
        cosine_by_lengths,
        cosine_by_torch,
        cosine_by_differences,
        cosine_by_einsum,
        cosine_by_loops,
        cosine_in_float32,
    ),
    "nearest_neighbors.nearest": (
        nearest_by_sort,
        nearest_by_argsort,
        nearest_by_python,
        nearest_by_numpy,
        nearest_one_at_a_time,
        nearest_in_float32,
    ),
    "nearest_neighbors.nearest_others": (
        others_by_index,
        others_by_mask,
        others_by_scatter,
        others_one_more,
        others_in_the_rest,
        others_in_float32,
    ),
}

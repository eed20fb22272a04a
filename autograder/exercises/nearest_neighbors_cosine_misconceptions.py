"""Wrong answers of lesson 2, nearest neighbours, on directions: the cosine distance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.exercises.nearest_neighbors_misconceptions import cosine_similarity, euclidean, length, over
from autograder.records import Misconception

# 3. cosine_distances(queries, features) -> d


def _normalised_by(size: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda queries, features: 1 - over(queries, size(queries)) @ over(features, size(features)).T


def _centred(rows: Tensor) -> Tensor:
    return rows - rows.mean(1, keepdim=True)


def _of_similarity(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda queries, features: change(cosine_similarity(queries, features))


COSINE = (
    Misconception(
        "similarity",
        _of_similarity(lambda s: s),
        "You returned the cosine itself, which is 1 where the directions agree. The distance is 1 minus it: 0 for the "
        "same direction.",
    ),
    Misconception(
        "negative_similarity",
        _of_similarity(lambda s: -s),
        "You returned minus the cosine. The order is right; the distance is 1 - cos, from 0 to 2.",
    ),
    Misconception(
        "not_normalised",
        lambda queries, features: 1 - queries @ features.T,
        "You did not divide by ‖q‖ and ‖x‖. Then a row wins by being long. The cosine is q·x / (‖q‖ ‖x‖).",
    ),
    Misconception(
        "only_queries",
        lambda queries, features: 1 - over(queries, length(queries)) @ features.T,
        "You divided by ‖q‖ alone. Divide by ‖x‖ as well, or long rows of the data set win.",
    ),
    Misconception(
        "only_features",
        lambda queries, features: 1 - queries @ over(features, length(features)).T,
        "You divided by ‖x‖ alone. Divide by ‖q‖ as well: the cosine lies between -1 and 1.",
    ),
    Misconception(
        "batch_axis",
        _normalised_by(lambda rows: rows.norm(dim=0, keepdim=True)),
        "You normalised over the batch, axis 0: each column got length 1. ‖q‖ is the length of one image's row, over "
        "the features k: axis 1.",
    ),
    Misconception(
        "whole_tensor",
        _normalised_by(torch.norm),
        "You divided by one number for all rows, the norm of the whole tensor. Every row has its own length ‖q‖, ‖x‖.",
    ),
    Misconception(
        "squared_norms",
        _normalised_by(lambda rows: length(rows).square()),
        "You divided by ‖q‖² ‖x‖²: a root is missing. ‖q‖ = √(Σ_k q_k²).",
    ),
    Misconception(
        "one_norm",
        _normalised_by(lambda rows: rows.abs().sum(1, keepdim=True)),
        "You divided by Σ_k |q_k|. The length is ‖q‖ = √(Σ_k q_k²).",
    ),
    Misconception(
        "largest_value",
        _normalised_by(lambda rows: rows.abs().amax(1, keepdim=True)),
        "You divided each row by its largest |value|. The cosine divides by its length ‖q‖ = √(Σ_k q_k²).",
    ),
    Misconception(
        "softmax_first",
        lambda queries, features: 1 - cosine_similarity(queries.softmax(1), features.softmax(1)),
        "You put the features through a softmax first. The cosine takes q and x as they are.",
    ),
    Misconception(
        "number_added_below",
        _normalised_by(lambda rows: length(rows) + 1e-6),
        "You added a small number to the lengths. The direction of a short row counts as much as that of a long one: "
        "divide by ‖q‖ ‖x‖ alone.",
    ),
    Misconception(
        "angle",
        _of_similarity(lambda s: s.clamp(-1, 1).arccos()),
        "You returned the angle, arccos of the cosine. The distance here is 1 - cos.",
    ),
    Misconception(
        "halved",
        _of_similarity(lambda s: (1 - s) / 2),
        "You scaled the distance to [0, 1]. 1 - cos lies between 0 (the same direction) and 2 (opposite).",
    ),
    Misconception(
        "unit_distance",
        lambda queries, features: (2 - 2 * cosine_similarity(queries, features)).clamp(min=0).sqrt(),
        "This is ‖q̂ - x̂‖, the euclidean distance of the rows of length 1. 1 - cos is half of its square.",
    ),
    Misconception(
        "absolute",
        _of_similarity(lambda s: 1 - s.abs()),
        "You took |cos|. Opposite directions are the farthest there are, at distance 2, and not the nearest.",
    ),
    Misconception(
        "centred",
        lambda queries, features: 1 - cosine_similarity(_centred(queries), _centred(features)),
        "You subtracted each row's mean first: that is 1 minus the correlation. The cosine takes q and x as they are.",
    ),
    Misconception(
        "euclidean",
        euclidean,
        "This is the euclidean distance ‖q - x‖. The cosine distance compares directions alone: 1 - q·x / (‖q‖ ‖x‖).",
    ),
    Misconception(
        "features_before_queries",
        lambda queries, features: (1 - cosine_similarity(queries, features)).T,
        "Rows and columns of the table are swapped: one row a query, one column an image of the data set, [Q N].",
    ),
)

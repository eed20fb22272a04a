"""Wrong answers of lesson 2, nearest neighbours, on features: the embedding, and the euclidean distance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from autograder.records import Misconception


def observed(
    model: nn.Module, images: Tensor, layer: str, *, enters: bool = False, copy: bool = True
) -> tuple[Tensor, Tensor]:
    """What the layer puts out (or what enters it) and the scores; without the copy, later layers may overwrite it."""
    seen: list[Tensor] = []

    def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        tensor = inputs[0] if enters else output
        seen.append(tensor.clone() if copy else tensor)

    handle = model.get_submodule(layer).register_forward_hook(keep)
    try:
        with torch.no_grad():
            scores = model(images)
    finally:
        handle.remove()
    return seen[0], scores


def averages(activations: Tensor) -> Tensor:
    """x [N K]: the mean of each map."""
    return activations.mean((2, 3))


# 1. embed(model, images, layer) -> x


def _of_maps(change: Callable[[Tensor], Tensor], **options: bool) -> Callable[..., Tensor]:
    """`change(A)` in place of the averages."""
    return lambda model, images, layer: change(observed(model, images, layer, **options)[0])


def _of_scores(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda model, images, layer: change(observed(model, images, layer)[1])


def _of_namesake(which: int) -> Callable[..., Tensor]:
    """The first (0) or the last (-1) layer whose name contains the name that was asked for."""

    def wrong(model, images, layer):
        names = [name for name, _ in model.named_modules() if layer in name]
        return averages(observed(model, images, names[which])[0])

    return wrong


_PART_OF_A_NAME = (
    "You took the {} layer whose name contains `layer`. Names contain each other (conv1, conv10, more.conv1): "
    "model.get_submodule(layer) finds the one that has exactly this name."
)


def _of_batch(activations: Tensor) -> Tensor:
    return averages(activations).mean(0, keepdim=True).expand(activations.shape[:2]).clone()


EMBED = (
    Misconception(
        "layer_input",
        _of_maps(averages, enters=True),
        "You averaged what enters the layer. A is what leaves it: the third argument of a forward hook, output, not "
        "inputs.",
    ),
    Misconception(
        "overwritten",
        _of_maps(averages, copy=False),
        "You kept the layer's own tensor, and an in-place ReLU after the layer overwrote it: you averaged ReLU(A), not "
        "A. Average inside the hook, or keep output.clone().",
    ),
    Misconception(
        "scores",
        _of_scores(lambda y: y),
        "You returned the scores of the classes. The features are the averages of the maps A of the layer that is "
        "asked for, long before the scores.",
    ),
    Misconception(
        "probabilities",
        _of_scores(lambda y: y.softmax(1)),
        "You took the features after the softmax: probabilities of the classes. x_k is the average of map A^k of the "
        "layer that is asked for.",
    ),
    Misconception(
        "softmax_of_features",
        _of_maps(lambda a: averages(a).softmax(1)),
        "You put a softmax over the x_k. They are raw averages of either sign and need not sum to 1.",
    ),
    Misconception(
        "sum_for_mean",
        _of_maps(lambda a: a.sum((2, 3))),
        "You summed A^k over i, j; x_k is the mean: divide by Z = h·w.",
    ),
    Misconception(
        "max_for_mean",
        _of_maps(lambda a: a.amax((2, 3))),
        "You took the largest value of each map A^k. x_k is the mean over all Z = h·w places.",
    ),
    Misconception(
        "flattened",
        _of_maps(lambda a: a.flatten(1)),
        "You laid all K·h·w numbers of A in one row. Then a thing that moves gets other features. x has one number a "
        "channel: the mean over i, j.",
    ),
    Misconception(
        "one_axis",
        _of_maps(lambda a: a.mean(3)),
        "You averaged over the columns j alone. The double sum Σ_i Σ_j runs over rows and columns: axes 2 and 3.",
    ),
    Misconception(
        "mean_over_channels",
        _of_maps(lambda a: a.mean(1).flatten(1)),
        "You averaged over the channels k. x keeps k and averages over the places i, j: axes 2 and 3.",
    ),
    Misconception(
        "mean_over_batch",
        _of_maps(_of_batch),
        "You averaged over the batch as well, so that all images have the same features. Image n has its own row x_n: "
        "average over i and j alone.",
    ),
    Misconception(
        "relu_added",
        _of_maps(lambda a: averages(a.relu())),
        "You put a ReLU before the mean. x_k is the mean of A^k as the layer puts it out, with its negative values.",
    ),
    Misconception(
        "absolute",
        _of_maps(lambda a: averages(a.abs())),
        "You averaged |A^k|. x_k is the mean of A^k with its signs.",
    ),
    Misconception(
        "unit_length",
        _of_maps(lambda a: nn.functional.normalize(averages(a))),
        "You scaled each row to length 1. x is returned raw; dividing by ‖x‖ is the business of the cosine distance.",
    ),
    Misconception("first_namesake", _of_namesake(0), _PART_OF_A_NAME.format("first")),
    Misconception("last_namesake", _of_namesake(-1), _PART_OF_A_NAME.format("last")),
    Misconception(
        "kept_axes",
        _of_maps(lambda a: a.mean((2, 3), keepdim=True)),
        "The numbers are right, but the averaged axes are still there with size 1: x is [N K], so leave out keepdim.",
    ),
)


# 2. euclidean_distances(queries, features) -> d


def differences(queries: Tensor, features: Tensor) -> Tensor:
    """q - x of all pairs [Q N D]."""
    return queries[:, None] - features[None]


def euclidean(queries: Tensor, features: Tensor) -> Tensor:
    """‖q - x‖ [Q N], as the formula has it."""
    return differences(queries, features).square().sum(2).sqrt()


def cosine_similarity(queries: Tensor, features: Tensor) -> Tensor:
    """q·x / (‖q‖ ‖x‖) [Q N]."""
    return over(queries, length(queries)) @ over(features, length(features)).T


def length(rows: Tensor) -> Tensor:
    """‖q‖ of each row [Q 1]."""
    return rows.square().sum(1, keepdim=True).sqrt()


def over(rows: Tensor, size: Tensor) -> Tensor:
    """Each row over its size."""
    return rows / size


def _lengths_compared(queries, features):
    return (length(queries) - length(features).T).abs()


def _half_cross_term(queries, features):
    squares = length(queries).square() + length(features).T.square()
    return (squares - queries @ features.T).sqrt()


def _expanded(queries, features):
    squares = queries.square().sum(1)[:, None] + features.square().sum(1)
    return (squares - 2 * queries @ features.T).clamp(min=0).sqrt()


def _pairs_in_order(queries, features):
    d = euclidean(queries, features)
    return d[:1].expand_as(d).clone()


EUCLIDEAN = (
    Misconception(
        "squared",
        lambda queries, features: euclidean(queries, features).square(),
        "You left out the square root: this is d². The order of the neighbours is the same, the numbers are not: "
        "d = √(Σ_k (q_k - x_k)²).",
    ),
    Misconception(
        "city_block",
        lambda queries, features: differences(queries, features).abs().sum(2),
        "You added up |q_k - x_k|. The euclidean distance squares each difference, adds up and takes the root.",
    ),
    Misconception(
        "largest_difference",
        lambda queries, features: differences(queries, features).abs().amax(2),
        "You took the largest |q_k - x_k|. The euclidean distance adds up the squares of all of them.",
    ),
    Misconception(
        "root_mean_square",
        lambda queries, features: differences(queries, features).square().mean(2).sqrt(),
        "You averaged the squares over k: d is √D times too small. The formula has a sum: Σ_k (q_k - x_k)².",
    ),
    Misconception(
        "mean_square",
        lambda queries, features: differences(queries, features).square().mean(2),
        "This is the mean squared error. d is the root of the sum of the (q_k - x_k)²: no mean, and a root.",
    ),
    Misconception(
        "not_squared",
        lambda queries, features: differences(queries, features).sum(2).abs(),
        "You added up q_k - x_k without squaring, so that differences of opposite sign cancel. Square each one first.",
    ),
    Misconception(
        "lengths_compared",
        _lengths_compared,
        "You compared the lengths ‖q‖ and ‖x‖. Two rows of the same length can point anywhere: d = ‖q - x‖ is the "
        "length of the difference.",
    ),
    Misconception(
        "sum_of_rows",
        lambda queries, features: (queries[:, None] + features[None]).norm(dim=2),
        "You took the length of q + x. d is the length of the difference q - x.",
    ),
    Misconception(
        "half_cross_term",
        _half_cross_term,
        "You expanded the square and lost a 2: ‖q - x‖² = ‖q‖² - 2 q·x + ‖x‖².",
    ),
    Misconception(
        "expanded",
        _expanded,
        "You computed ‖q‖² - 2 q·x + ‖x‖². Where q and x are near to each other and far from 0, that subtracts large "
        "numbers that are nearly equal, and float32 loses d. Subtract first: Σ_k (q_k - x_k)².",
    ),
    Misconception(
        "cosine",
        lambda queries, features: 1 - cosine_similarity(queries, features),
        "This is the cosine distance. The euclidean one does not divide by ‖q‖ and ‖x‖: d = ‖q - x‖.",
    ),
    Misconception(
        "dot_product",
        lambda queries, features: queries @ features.T,
        "You returned q·x. It is large where rows are alike, and it is no distance: d = ‖q - x‖.",
    ),
    Misconception(
        "unit_rows",
        lambda queries, features: euclidean(over(queries, length(queries)), over(features, length(features))),
        "You scaled the rows to length 1 first. The euclidean distance takes q and x as they are.",
    ),
    Misconception(
        "negative",
        lambda queries, features: -euclidean(queries, features),
        "You returned -d. A distance is 0 or more, and small where two images are alike.",
    ),
    Misconception(
        "first_query",
        _pairs_in_order,
        "Every row is that of the first query. Query q has its own row d[q].",
    ),
    Misconception(
        "over_the_data_set",
        lambda queries, features: differences(queries, features).square().sum(1).sqrt(),
        "You added up over the images of the data set, axis 1 of [Q N D]. The sum runs over the features k, axis 2.",
    ),
    Misconception(
        "features_before_queries",
        lambda queries, features: euclidean(queries, features).T,
        "Rows and columns of the table are swapped: one row a query, one column an image of the data set, [Q N].",
    ),
)

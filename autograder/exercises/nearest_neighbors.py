"""Lesson 2, nearest neighbours: which images a network holds for alike."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import cnnviz
from autograder.exercises import nearest_neighbors_cosine_misconceptions as cosine_mistakes
from autograder.exercises import nearest_neighbors_fixtures as fixtures
from autograder.exercises import nearest_neighbors_misconceptions as mistakes
from autograder.exercises import nearest_neighbors_order_misconceptions as order_mistakes
from autograder.exercises.nearest_neighbors_questions import QUESTIONS
from autograder.exercises.telling import telling
from autograder.records import Call, Case, Exercise, Law, Lesson
from cnnviz_ref import embed as embedding
from cnnviz_ref.nearest_neighbors import k_smallest, pairwise_distances

# References: the parts of the method, under the names that the student's functions have.


def embed(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """x [N K]: the mean of each map that the layer puts out."""
    return embedding(model, images, layer)


def euclidean_distances(queries: Tensor, features: Tensor) -> Tensor:
    """d [Q N]: ‖q - x‖."""
    return pairwise_distances(queries, features, metric="euclidean")


def cosine_distances(queries: Tensor, features: Tensor) -> Tensor:
    """d [Q N]: 1 - q·x / (‖q‖ ‖x‖)."""
    return pairwise_distances(queries, features, metric="cosine")


def nearest(distances: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k smallest of each row, ascending, and their columns; equal ones by the lowest column."""
    return k_smallest(distances, k)


def nearest_others(distances: Tensor, rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """As `nearest`, where query q does not find image rows[q]."""
    own = torch.arange(distances.shape[1], device=distances.device) == rows[:, None]
    return k_smallest(distances.masked_fill(own, torch.inf), k)


# Showcases


def _sorted_scans() -> Call:
    """Sixty handwritten digits, sorted by class: d has blocks."""
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    features = torch.as_tensor(pixels[:60][labels[:60].argsort(kind="stable")])
    return Call({"queries": features, "features": features})


def _sorted_canvases() -> Call:
    """Sixty cluttered digits, sorted by class, as `digit_net` sees them."""
    canvases = cnnviz.cluttered_digits(60, seed=0, split="test")
    features = embedding(cnnviz.digit_net(), canvases.images[canvases.labels.argsort(stable=True)], "features")
    return Call({"queries": features, "features": features})


EXERCISES = (
    Exercise(
        id="nearest_neighbors.embed",
        title="One row of features for each image",
        reference=embed,
        formula=r"x_{nk} = \frac{1}{Z} \sum_i \sum_j A^k_{ij}",
        outputs=("x",),
        cases=(
            Case(
                "an in-place ReLU after the layer, names that contain each other, a pass that fails",
                telling(fixtures.in_place, embed, mistakes.EMBED),
            ),
            Case(
                "other networks, frozen, with BatchNorm and dropout; again names, and a pass that fails",
                telling(fixtures.other_networks, embed, mistakes.EMBED),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "classifier_on_x_gives_y",
                "Where GAP and one linear layer follow, that linear layer on x gives the scores: x is all that the "
                "decision sees.",
                fixtures.pooled,
                fixtures.scores_again,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's row is the same alone as in a batch.",
                fixtures.batch_and_singles,
                fixtures.as_in_the_batch,
            ),
        ),
        special={"not even if the forward pass fails": ""},
        misconceptions=mistakes.EMBED,
        hints=(
            "The layer runs in the middle of the forward pass. How can you get hold of what it puts out? And which of "
            "the four axes of A does x still have?",
            "A forward hook is called with (module, inputs, output) right after the layer has run. Average the output "
            "over rows and columns inside the hook, and keep the result in a list. Take the hook off again.",
            "1. kept = []; hook(module, inputs, output): kept.append(output.mean(over the row and column axes))\n"
            "2. handle = model.get_submodule(layer).register_forward_hook(hook)\n"
            "3. try: with torch.no_grad(): model(images)\n"
            "4. finally: handle.remove()\n"
            "5. return kept[0]",
        ),
        minutes=12,
        difficulty=2,
        lines=10,
    ),
    Exercise(
        id="nearest_neighbors.euclidean_distances",
        title="The euclidean distance",
        reference=euclidean_distances,
        formula=r"d(q, x) = \lVert q - x \rVert = \sqrt{\sum_k (q_k - x_k)^2}",
        outputs=("d",),
        cases=(
            Case(
                "an image that is the same as a query; rows near to each other in float32",
                telling(fixtures.far_twins, euclidean_distances, mistakes.EUCLIDEAN),
            ),
            Case(
                "other sizes, a single query, and rows near to each other in float32",
                telling(fixtures.other_twins, euclidean_distances, mistakes.EUCLIDEAN),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "turned_moved_enlarged",
                "Turning and moving all rows together changes no d; three times the size makes each d 3 times larger.",
                fixtures.moved_calls,
                fixtures.moved,
            ),
        ),
        special={"where q and x are near to each other": "expanded"},
        misconceptions=mistakes.EUCLIDEAN,
        hints=(
            "For one pair you subtract two rows, square, add up and take the root. Which shapes must the operands have "
            "so that PyTorch does this for all Q·N pairs at once?",
            "queries[:, None] is [Q 1 D] and features[None] is [1 N D]. Their difference is broadcast to [Q N D]. "
            "torch.cdist knows this distance too.",
            "1. differences = queries[:, None] - features[None]\n"
            "2. return differences.square().sum(over the last axis).sqrt()",
        ),
        minutes=6,
        difficulty=1,
        lines=2,
        showcase=_sorted_scans,
    ),
    Exercise(
        id="nearest_neighbors.cosine_distances",
        title="The cosine distance",
        reference=cosine_distances,
        formula=r"d(q, x) = 1 - \frac{q \cdot x}{\lVert q \rVert \, \lVert x \rVert}",
        outputs=("d",),
        cases=(
            Case(
                "three queries, five images, four features; queries that are hardly longer than 0",
                telling(fixtures.short_queries, cosine_distances, cosine_mistakes.COSINE),
            ),
            Case(
                "other sizes, an image that is the same as a query; short queries",
                telling(fixtures.other_queries, cosine_distances, cosine_mistakes.COSINE),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "only_directions",
                "The length of a row does not matter, and turning a query round (-q for q) makes d into 2 - d.",
                fixtures.lengthened_calls,
                fixtures.only_directions,
            ),
        ),
        misconceptions=cosine_mistakes.COSINE,
        hints=(
            "What is ‖q‖ for one row? Over which axis of queries [Q D] is added up to get it for all rows?",
            "Divide each row by its own length first: rows.norm(dim=1, keepdim=True) has shape [Q 1]. Then one matrix "
            "product gives the products of all pairs, [Q D] @ [D N].",
            "1. q = queries / queries.norm(over the features, keepdim=True); the same for the features\n"
            "2. return 1 - q @ x.T",
        ),
        minutes=8,
        difficulty=1,
        lines=3,
        showcase=_sorted_canvases,
    ),
    Exercise(
        id="nearest_neighbors.nearest",
        title="The k nearest",
        reference=nearest,
        formula=r"d(q, x_{n_1}) \le d(q, x_{n_2}) \le \dots \le d(q, x_{n_k}) \le \text{all others}",
        outputs=("d", "indices"),
        cases=(
            Case(
                "four queries, ten images, ties; all images, some of them nearly as near as others",
                telling(fixtures.ties, nearest, order_mistakes.NEAREST),
            ),
            Case(
                "other sizes, more ties, a single query; all images, some of them nearly as near as others",
                telling(fixtures.more_ties, nearest, order_mistakes.NEAREST),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "nothing_nearer",
                "d are the entries of the table at the indices, ascending, and no image that is left is nearer.",
                lambda g: [fixtures.tied(g, 4, 9, 3)],
                fixtures.nothing_nearer,
            ),
        ),
        special={
            "ties by the lowest index": "ties_by_the_highest",
            "Distances that differ at all are no ties": "nearly_equal_for_equal",
        },
        misconceptions=order_mistakes.NEAREST,
        hints=(
            "Which end of a sorted row holds the neighbours? And what does a sort do with two equal distances?",
            "Tensor.sort returns two tensors: the values, and where each of them came from. With stable=True, equal "
            "values keep their order, so the lower index stays first. (topk and plain argsort do not promise that.)",
            "1. d, indices = distances.sort(along each row, stable=True)\n2. return the first k columns of both",
        ),
        minutes=6,
        difficulty=1,
        lines=2,
    ),
    Exercise(
        id="nearest_neighbors.nearest_others",
        title="Leave the query out",
        reference=nearest_others,
        formula=r"d(q, x_{r_q}) \leftarrow \infty \text{ for each query } q, \text{ then the } k \text{ nearest}",
        outputs=("d", "indices"),
        cases=(
            Case(
                "four queries of a data set with duplicates; a changed copy, in a small and in a large unit",
                telling(
                    lambda g: [
                        fixtures.own_rows(g, 4, 10, 4),
                        fixtures.changed_copy(g, 6),
                        fixtures.changed_copy(g, 5, 1e12),
                    ],
                    nearest_others,
                    order_mistakes.OTHERS,
                ),
            ),
            Case(
                "other sizes, more duplicates, a large unit",
                telling(
                    lambda g: [
                        fixtures.own_rows(g, 3, 12, 5),
                        fixtures.changed_copy(g, 8),
                        fixtures.changed_copy(g, 6, 1e12),
                    ],
                    nearest_others,
                    order_mistakes.OTHERS,
                ),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "own_row_never_found",
                "No query finds the row that it leaves out, rows[q].",
                lambda g: [fixtures.own_rows(g, 5, 9, 3)],
                fixtures.own_never_found,
            ),
        ),
        special={"where query q does not find image rows[q]": "query_kept"},
        misconceptions=order_mistakes.OTHERS,
        hints=(
            "What number could you write at d(q, rows[q]) so that a sort puts it last, wherever it stands?",
            "Work on a copy of the table. Pair each query with its row: d[torch.arange(Q), rows] picks one entry a "
            "query, and it can be assigned to. d[:, rows] would be other entries: Q columns for every query.",
            "1. d = distances.clone()\n2. d[arange(number of queries), rows] = float('inf')\n3. return nearest(d, k)",
        ),
        minutes=8,
        difficulty=2,
        lines=3,
        builds_on=("nearest_neighbors.nearest",),
    ),
)

LESSON = Lesson(
    id="02_nearest_neighbors",
    title="Nearest neighbours",
    summary="Turn each image into a row of features, and look at the images whose rows are most like a query's.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

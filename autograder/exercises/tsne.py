"""Lesson 3, t-SNE: a map of the plane on which neighbours among the features are neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.exercises import tsne_descent_misconceptions as descent_mistakes
from autograder.exercises import tsne_fixtures as fixtures
from autograder.exercises import tsne_gradient_misconceptions as gradient_mistakes
from autograder.exercises import tsne_joint_misconceptions as joint_mistakes
from autograder.exercises import tsne_misconceptions as mistakes
from autograder.exercises.tsne_questions import QUESTIONS
from autograder.records import Call, Case, Exercise, Law, Lesson
from cnnviz_ref import tsne_parts as parts

# References: the parts of the method, under the names that the student's functions have.


def squared_distances(X: Tensor) -> Tensor:
    """d [N N]: ‖x_i - x_j‖²."""
    return parts.squared_distances(X)


def joint_probabilities(distances: Tensor, perplexity: float) -> tuple[Tensor, Tensor]:
    """p_j|i, whose rows have the perplexity, and P = (p_j|i + p_i|j) / 2N, both [N N]."""
    conditional = parts.conditional_probabilities(distances, perplexity)
    return conditional, parts.joint_probabilities(conditional)


def low_dimensional_affinities(Y: Tensor) -> Tensor:
    """Q [N N]: Student weights of the points over their sum."""
    return parts.low_dimensional_affinities(Y)


def kl_and_gradient(P: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """C = KL(P‖Q) and 4 Σ_j (p_ij - q_ij)(y_i - y_j) / (1 + ‖y_i - y_j‖²) [N 2]."""
    return parts.kl_divergence(P, parts.low_dimensional_affinities(Y)), parts.kl_gradient(P, Y)


def descend(P: Tensor, start: Tensor, *, steps: int, lr: float, momentum: float) -> Tensor:
    """Y_0 to Y_T [T+1 N 2]: V ← μV - η ∂C/∂Y, Y ← Y + V."""
    path, V = [start], torch.zeros_like(start)
    for _ in range(steps):
        V = momentum * V - lr * parts.kl_gradient(P, path[-1])
        path.append(path[-1] + V)
    return torch.stack(path)


def _sorted_digits() -> Call:
    """Sixty handwritten digits, sorted by class: p_j|i has blocks."""
    from sklearn.datasets import load_digits

    X, labels = load_digits(return_X_y=True)
    order = labels[:60].argsort(kind="stable")
    return Call({"distances": parts.squared_distances(torch.as_tensor(X[:60][order])), "perplexity": 5.0})


EXERCISES = (
    Exercise(
        id="tsne.squared_distances",
        title="Squared distances",
        reference=squared_distances,
        formula=r"d_{ij} = \lVert x_i - x_j \rVert^2 = \sum_k (x_{ik} - x_{jk})^2",
        outputs=("d",),
        cases=(
            Case("six points, two of them equal; and two points alone", lambda g: fixtures.twins(g, 6, 4)),
            Case("other sizes, and two points that are equal", lambda g: fixtures.twins(g, 5, 7), hidden=True),
        ),
        laws=(
            Law(
                "turned_moved_enlarged",
                "Turning all points and moving them together, even far from 0, changes no d_ij; three times the size "
                "makes d_ij 9 times.",
                fixtures.moved_calls,
                fixtures.moved,
            ),
        ),
        misconceptions=mistakes.DISTANCES,
        hints=(
            "For one pair of points you subtract two rows, square and add up. Which shape must the two operands have "
            "so that PyTorch does this for all pairs at once?",
            "X[:, None] is [N 1 D] and X[None] is [1 N D]. Their difference is broadcast to [N N D]. "
            "torch.cdist also gives all distances, but not their squares.",
            "1. differences = X[:, None] - X[None]\n2. return differences.square().sum(over the last axis)",
        ),
        minutes=6,
        difficulty=1,
        lines=2,
    ),
    Exercise(
        id="tsne.joint_probabilities",
        title="Who is whose neighbour",
        reference=joint_probabilities,
        formula=r"p_{j|i} = \frac{e^{-\beta_i d_{ij}}}{\sum_{k \ne i} e^{-\beta_i d_{ik}}} \text{ with } "
        r"2^{H(P_i)} = \text{perplexity}\,, \qquad p_{ij} = \frac{p_{j|i} + p_{i|j}}{2N}",
        outputs=("p_j|i", "P"),
        cases=(
            Case("eleven points, perplexity 2.5", lambda g: [fixtures.telling_distances(g, 11, 2.5)]),
            Case(
                "a crowd, where two points are equal, with one point far away",
                lambda g: [fixtures.crowd(g, 8, 2.4)],
                only_here=("least_distance_kept", "equal_points_left_out", "narrow_search"),
            ),
            Case(
                "other points and other perplexities",
                lambda g: [fixtures.telling_distances(g, 12, 2.7), fixtures.distances(g, 10, 2.3)],
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "every_row_has_the_perplexity",
                "2^H(P_i) is the perplexity in every row i of p_j|i, whether it is small or nearly N - 1.",
                fixtures.three_perplexities,
                fixtures.perplexity_reached,
            ),
            Law(
                "one_probability_for_all_pairs",
                "P is symmetric, its diagonal is 0, and all its entries together are 1.",
                fixtures.three_perplexities,
                fixtures.a_probability,
            ),
            Law(
                "unit_does_not_matter",
                "Features in another unit: every d_ij is 100 times as large, every β_i 100 times smaller, and neither "
                "p_j|i nor P changes.",
                fixtures.larger_units,
                fixtures.same_probabilities,
            ),
        ),
        special={"where β_i is bisected": "no_bisection"},
        misconceptions=joint_mistakes.JOINT,
        hints=(
            "Forget the perplexity for a moment: you have a number β_i for each row. How do you get the row p_j|i? "
            "And if its entropy comes out too large, must β_i grow or fall?",
            "Keep a lower and an upper bound of log2 β for each row, as tensors [N 1], and try the middle of all rows "
            "at once. torch.where replaces one bound or the other. float('inf') on the diagonal gives p_i|i = 0. "
            "torch.special.entr(p) is -p ln p, and 0 at p = 0.",
            "1. d = distances with inf on the diagonal; d = d - d.amin(dim=1, keepdim=True)\n"
            "2. low = full((N, 1), -40); high = full((N, 1), 40)\n"
            "3. repeat 60 times: middle = (low + high) / 2; w = exp(-d * 2**middle); p = w / its row sums\n"
            "4.     H = entr(p).sum(dim=1, keepdim=True) / ln 2; too_wide = H > log2(perplexity)\n"
            "5.     low = where(too_wide, middle, low); high = where(too_wide, high, middle)\n"
            "6. return p, (p + p.T) / (2 * N)",
        ),
        minutes=25,
        difficulty=3,
        lines=12,
        showcase=_sorted_digits,
    ),
    Exercise(
        id="tsne.low_dimensional_affinities",
        title="Neighbours in the plane",
        reference=low_dimensional_affinities,
        formula=r"q_{ij} = \frac{(1 + \lVert y_i - y_j \rVert^2)^{-1}}"
        r"{\sum_{k \ne l} (1 + \lVert y_k - y_l \rVert^2)^{-1}}\,, \quad q_{ii} = 0",
        outputs=("Q",),
        cases=(
            Case("seven points, two of them equal; and points very far apart", lambda g: fixtures.planes(g, 7)),
            Case("other points, few and more", lambda g: fixtures.planes(g, 4, 9), hidden=True),
        ),
        laws=(
            Law(
                "one_probability_for_all_pairs",
                "Q is symmetric, its diagonal is 0, and all its entries together are 1.",
                lambda g: fixtures.plane(g, 6),
                fixtures.a_probability,
            ),
            Law(
                "odds_of_two_pairs",
                "q_ij (1 + ‖y_i - y_j‖²) is the same number for all pairs i ≠ j.",
                lambda g: fixtures.plane(g, 5),
                fixtures.odds,
            ),
        ),
        misconceptions=mistakes.AFFINITIES,
        hints=(
            "Which pairs does the sum below leave out? And is it a sum for each row, or one for the whole table?",
            "Squared distances you have from the first exercise (or from torch.cdist, squared). fill_diagonal_(0) on "
            "the tensor of weights, before the sum, removes the pairs k = l.",
            "1. w = 1 / (1 + squared distances of Y)\n2. w.fill_diagonal_(0)\n3. return w / w.sum()",
        ),
        minutes=8,
        difficulty=1,
        lines=4,
    ),
    Exercise(
        id="tsne.kl_and_gradient",
        title="The cost and its gradient",
        reference=kl_and_gradient,
        formula=r"C = \sum_{i \ne j} p_{ij} \ln \frac{p_{ij}}{q_{ij}}\,, \qquad \frac{\partial C}{\partial y_i} = "
        r"4 \sum_j (p_{ij} - q_{ij})(y_i - y_j)(1 + \lVert y_i - y_j \rVert^2)^{-1}",
        outputs=("C", "∂C/∂Y"),
        cases=(
            Case(
                "a pair of probability 0; P exaggerated; equal points, and one far away",
                lambda g: fixtures.pulls(g, 7, 5, 2.0),
            ),
            Case("other points, exaggerated more", lambda g: fixtures.pulls(g, 6, 8, 3.0), hidden=True, points=2),
        ),
        laws=(
            Law(
                "equals_autograd",
                "Where P sums to 1, the formula's gradient is the one that autograd finds for C.",
                fixtures.one_scene,
                fixtures.equals_autograd,
            ),
            Law(
                "pulls_cancel",
                "The gradients of all points add up to 0: what i pulls at j, j pulls at i.",
                fixtures.one_scene,
                fixtures.balanced,
            ),
            Law(
                "nothing_to_do",
                "Where P = Q, C is 0 and so is every gradient.",
                fixtures.at_the_goal,
                fixtures.nothing_to_do,
            ),
        ),
        special={"perhaps elsewhere": "zero_log_zero"},
        misconceptions=gradient_mistakes.GRADIENT,
        hints=(
            "Four things are needed for each pair: p_ij, q_ij, the weight, and an arrow y_i - y_j. Which of them have "
            "shape [N N], and which [N N 2]? Over which axis is added up?",
            "Q is the weights over their sum, as in the exercise before. For C, take only the pairs with P > 0: "
            "torch.where, a mask, or torch.special.xlogy, for which 0 ln 0 = 0. The arrows are Y[:, None] - Y[None].",
            "1. arrows = Y[:, None] - Y[None]; w = 1 / (1 + arrows.square().sum(2)); w.fill_diagonal_(0)\n"
            "2. Q = w / w.sum()\n"
            "3. C = (xlogy(P, P) - xlogy(P, Q)).sum()\n"
            "4. g = 4 * (((P - Q) * w)[:, :, None] * arrows).sum(over j)\n"
            "5. return C, g",
        ),
        minutes=20,
        difficulty=2,
        lines=6,
    ),
    Exercise(
        id="tsne.descend",
        title="The descent",
        reference=descend,
        formula=r"V_{t+1} = \mu V_t - \eta \left.\frac{\partial C}{\partial Y}\right|_{Y_t}\,, \quad "
        r"Y_{t+1} = Y_t + V_{t+1}\,, \quad V_0 = 0",
        outputs=("path",),
        cases=(
            Case(
                "steps so large that C rises at one of them; smaller steps; and a start where C is nearly flat",
                fixtures.climbing_once,
            ),
            Case(
                "other points, other η and μ; and P exaggerated",
                fixtures.climbing_once_exaggerated,
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "cost_falls",
                "With small steps and μ = 0, C falls at each step.",
                fixtures.careful_descent,
                fixtures.falls,
            ),
            Law(
                "centre_stays",
                "The mean of all points stays where it was at the start, since the pulls cancel.",
                fixtures.fast_descent,
                fixtures.centred,
            ),
        ),
        misconceptions=descent_mistakes.LOOP,
        hints=(
            "What has to be remembered from one step to the next? And what must not be changed in place, because it "
            "is already in the list?",
            "Two variables go round the loop: Y and V. kl_and_gradient(P, Y) gives the gradient as its second result. "
            "Write Y = Y + V, not Y += V, and append each new Y. torch.stack makes one tensor of the list.",
            "1. Y, V, path = start, torch.zeros_like(start), [start]\n"
            "2. for _ in range(steps): V = momentum * V - lr * kl_and_gradient(P, Y)[1]\n"
            "3.     Y = Y + V; path.append(Y)\n"
            "4. return torch.stack(path)",
        ),
        minutes=10,
        difficulty=1,
        lines=6,
        builds_on=("tsne.kl_and_gradient",),
    ),
)

LESSON = Lesson(
    id="03_tsne",
    title="t-SNE",
    summary="Give every pair of features a probability of being neighbours, and move points in the plane until their "
    "neighbours agree.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

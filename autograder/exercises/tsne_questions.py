"""Prediction questions of lesson 3, t-SNE."""

from __future__ import annotations

from autograder.records import Option, Question

QUESTIONS = (
    Question(
        id="tsne.other_units",
        text="The pixels of the digits go from 0 to 16. You divide all of them by 16, so that they go from 0 to 1. "
        "What happens to P, at the same perplexity?",
        options={
            "a": Option(
                "It becomes flatter: all distances are smaller, so all points are neighbours of all others.",
                "That would be so if σ were fixed. It is bisected until every row has the perplexity, so it shrinks "
                "with the distances.",
            ),
            "b": Option(
                "It stays the same.",
                "Yes: every d_ij is 256 times smaller, the bisection finds a β_i 256 times larger, and only their "
                "product matters.",
            ),
            "c": Option(
                "It becomes 256 times smaller.",
                "P always sums to 1, whatever the features are.",
            ),
        },
        answer="b",
    ),
    Question(
        id="tsne.turned_map",
        text="You turn the finished map by 90 degrees, so that its horizontal axis becomes the vertical one. "
        "What happens to the cost C?",
        options={
            "a": Option(
                "It rises: the descent found the best direction for each axis.",
                "That is so for principal components, whose first axis has the largest variance. C has no preferred "
                "direction.",
            ),
            "b": Option(
                "It stays the same.",
                "Yes: q_ij depends on the distances ‖y_i - y_j‖ alone, and a turn changes none. So the axes of the map "
                "mean nothing. That is why they carry no numbers.",
            ),
            "c": Option(
                "It depends on the data.",
                "C sees Y only through the distances ‖y_i - y_j‖. These are the same after a turn, whatever the data.",
            ),
        },
        answer="b",
    ),
    Question(
        id="tsne.map_shrunk",
        text="You multiply all points of the map by one half: the same picture, half as large. What happens to the "
        "cost C?",
        options={
            "a": Option(
                "It stays the same: only proportions matter.",
                "That is so among the features, where β_i takes up the unit. In the plane nothing is bisected: the 1 "
                "in 1 + ‖y_i - y_j‖² is a fixed unit of length.",
            ),
            "b": Option(
                "It falls: neighbours come closer to each other.",
                "They do, but so do all other pairs. Q sums to 1 over all pairs, so what far pairs gain is taken from "
                "the neighbours.",
            ),
            "c": Option(
                "It rises.",
                "Yes: the 1 in 1 + ‖y_i - y_j‖² is a fixed unit of length. In a smaller map all weights come nearer to "
                "1, Q becomes flatter, and neighbours with a large p_ij lose q_ij.",
            ),
        },
        answer="c",
    ),
    Question(
        id="tsne.never_removed",
        text="Someone multiplies P by 12 to make clusters form early, and forgets to stop it: all 500 steps use 12·P. "
        "What becomes of the map?",
        options={
            "a": Option(
                "It is the same map, reached twelve times as fast.",
                "That would be a larger step size. Only the attraction is multiplied here: 12 p_ij - q_ij is not "
                "12 (p_ij - q_ij).",
            ),
            "b": Option(
                "The points stay crowded together, and the true C, that of P, stays high.",
                "Yes: attraction and repulsion balance where q_ij is like 12 p_ij, and no Q that sums to 1 can be "
                "that. So the exaggeration must end.",
            ),
            "c": Option(
                "The clusters fly apart: everything is twelve times as large.",
                "p_ij is what attracts. Twelve times the attraction makes the map smaller, not larger.",
            ),
            "d": Option(
                "Nothing changes: P is divided by its sum anyway.",
                "The gradient takes p_ij as it comes. With a P divided by its sum, exaggeration would do nothing "
                "at all.",
            ),
        },
        answer="b",
    ),
)

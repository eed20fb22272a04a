"""Predictions of lesson 1, filters."""

from __future__ import annotations

from autograder.records import Option, Question

QUESTIONS = (
    Question(
        id="filters.weaker_filter",
        text="We multiply all 27 weights of one filter by 1/1000 and draw the filter bank again, with `scale_filters` "
        "and `tile`. What happens to the tile of this filter?",
        options={
            "a": Option(
                "It becomes nearly black: its weights are nearly 0.",
                "Black is not zero. Black is the smallest weight of this filter, whatever that is.",
            ),
            "b": Option(
                "It becomes nearly one flat grey, next to the much stronger filters.",
                "That would be so with one scale for all filters. Each filter is stretched by its own minimum and "
                "maximum.",
            ),
            "c": Option(
                "It looks exactly as before.",
                "Yes: (aW - a min) / (a max - a min) = (W - min) / (max - min). The picture does not show strength.",
            ),
            "d": Option(
                "The other tiles become brighter, because the range is shared.",
                "No range is shared. What one filter weighs changes nothing in the tile of another.",
            ),
        },
        answer="c",
    ),
    Question(
        id="filters.flat_patch",
        text="The weights of a filter sum to 0 in every colour, and its bias is 0. We show it a bright patch of one "
        "single colour, every pixel the same. What does it respond?",
        options={
            "a": Option(
                "A large number, because the patch is bright.",
                "Brightness meets positive and negative weights alike, and here they cancel.",
            ),
            "b": Option(
                "0.",
                "Yes: Σ W·I = Σ_c I_c · Σ_ij W_cij, and every inner sum is 0. Such a filter sees differences between "
                "pixels and no brightness.",
            ),
            "c": Option(
                "It depends on where the positive weights of the filter lie.",
                "On a flat patch the place of a weight does not matter: every pixel of a colour is the same number. "
                "Only the sum of the weights counts.",
            ),
        },
        answer="b",
    ),
    Question(
        id="filters.strongest_patch",
        text="All pixels of a patch may be chosen freely between -1 (black) and +1 (white). Which patch makes the "
        "response of a filter as large as it can be?",
        options={
            "a": Option(
                "The picture of the filter itself, from `scale_filters`, stretched to [-1, 1].",
                "It shades softly where the filter does. But every pixel that is not at its limit gives away response: "
                "W times a pixel of 0.3 is less than W times 1.",
            ),
            "b": Option(
                "+1 wherever the weight is positive and -1 wherever it is negative.",
                "Yes: each product W·I is then |W|, and the response is b + Σ|W|. This patch keeps the signs of the "
                "weights and forgets their sizes.",
            ),
            "c": Option(
                "The all-white patch: more light, more response.",
                "White meets the negative weights too, and each of them takes away. The response is only the sum of "
                "the weights.",
            ),
        },
        answer="b",
    ),
    Question(
        id="filters.renumbered",
        text="In the digit network we give the channels of block4 new numbers, and put the slices of all block5 "
        "filters into the same new order. We draw a block5 filter by taking its first three slices as red, green and "
        "blue. What changes?",
        options={
            "a": Option(
                "The scores and the picture: the network was trained with the old order.",
                "A response sums over all channels, and a sum does not care about the order. Each slice still meets "
                "its own channel.",
            ),
            "b": Option(
                "The picture changes, the scores do not.",
                "Yes: the same network has as many such pictures as there are orders. In the first layer red, green "
                "and blue are given; deeper down, the order of the channels is an accident of training.",
            ),
            "c": Option(
                "Neither: it is the same network, so the filter is the same picture.",
                "It is the same network. But other slices come first now, and the picture was made of the first three.",
            ),
        },
        answer="b",
    ),
)

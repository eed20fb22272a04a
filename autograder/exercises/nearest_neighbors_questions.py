"""Prediction questions of lesson 2, nearest neighbours."""

from __future__ import annotations

from autograder.records import Option, Question

QUESTIONS = (
    Question(
        id="nearest_neighbors.three_times_as_long",
        text="You multiply the features x of one single image of the data set by 3. Its direction stays, its length "
        "‖x‖ becomes three times as large. Who sees it?",
        options={
            "a": Option(
                "Both distances: the image moves away from everybody.",
                "The euclidean distance sees it. The cosine divides by ‖x‖, so the factor 3 cancels.",
            ),
            "b": Option(
                "Only the euclidean distance.",
                "Yes: ‖q - 3x‖ is another number, and (q·3x) / (‖q‖ ‖3x‖) is the same one.",
            ),
            "c": Option(
                "Only the cosine distance: the product q·x becomes three times as large.",
                "That is the cosine without normalising. Divided by ‖3x‖ = 3‖x‖, the product is what it was.",
            ),
            "d": Option(
                "Neither: neighbours depend on directions alone.",
                "That is true of the cosine distance only. The euclidean one measures from tip to tip.",
            ),
        },
        answer="b",
    ),
    Question(
        id="nearest_neighbors.squared_or_not",
        text="You forget the square root of the euclidean distance and look for neighbours with d². What changes in "
        "the list of the ten nearest images?",
        options={
            "a": Option(
                "Nothing: the same images in the same order.",
                "Yes: d is 0 or more, and there d² grows with d. A list of neighbours cannot show this mistake; the "
                "numbers can, and the checks compare numbers.",
            ),
            "b": Option(
                "The order: large differences count more.",
                "They count more in d² against d of the same pair. But if d of one image is smaller than d of another, "
                "so is its square.",
            ),
            "c": Option(
                "Distances below 1 become smaller, so these images move to the front.",
                "They become smaller, but they were at the front already: below 1, too, a smaller d has a smaller d².",
            ),
        },
        answer="a",
    ),
    Question(
        id="nearest_neighbors.zero_left_out",
        text="An image stands twice in the data set. Both copies are asked for their nearest neighbour, and the query "
        "is left out by its distance: whatever is at distance 0 is dropped. What do the copies find?",
        options={
            "a": Option(
                "Each other.",
                "That is the right answer, and leaving out by index gives it. By distance, the other copy is dropped "
                "as well: it is at distance 0 too.",
            ),
            "b": Option(
                "Themselves.",
                "That is so where nothing is left out. Here everything at distance 0 is dropped, the query as well.",
            ),
            "c": Option(
                "Some third image: the other copy is never found.",
                "Yes: the rule cannot tell the query from its copy. The most certain neighbour there is, is lost, and "
                "nobody learns of the duplicate.",
            ),
        },
        answer="c",
    ),
    Question(
        id="nearest_neighbors.moved_by_a_quarter",
        text="Queries and data set show handwritten digits in the middle of a canvas of 64 pixels. Now all queries "
        "move 16 pixels to the right. How many first neighbours still have the query's label, with plain pixels and "
        "with digit_net's averaged maps?",
        options={
            "a": Option(
                "Pixels: few, hardly more than by chance. Network: nearly as many as before.",
                "Yes: plain pixels compare place by place, and nothing is in its place. The average over the grid does "
                "not ask where a pattern was found.",
            ),
            "b": Option(
                "Both: nearly as many as before. The shapes are the same.",
                "The shapes are, the pixels at each place are not. ‖q - x‖ compares pixel k with pixel k.",
            ),
            "c": Option(
                "Both: few. The network sees the same pixels.",
                "It sees them through convolutions, which respond to a pattern wherever it is, and their maps are "
                "averaged over all places.",
            ),
            "d": Option(
                "Pixels: nearly as many. Network: few, for it was trained on digits in the middle.",
                "digit_net was trained on digits anywhere on the canvas. And pixels compare place by place.",
            ),
        },
        answer="a",
    ),
)

"""Prediction questions of lesson 14, LRP."""

from autograder.records import Option, Question

QUESTIONS = (
    Question(
        id="lrp.who_wins",
        text="A max-pool reads the window [[1, 4], [3, 2]] and puts out 4. Its output has relevance R = 8. What do the "
        "four inputs get?",
        options={
            "a": Option(
                "[[0.8, 3.2], [2.4, 1.6]]: in proportion to the values.",
                "That is the share in a sum, such as an average pooling. The output of a max-pool is not a sum: "
                "the 1, the 3 and the 2 had no part in it.",
            ),
            "b": Option(
                "[[0, 8], [0, 0]]: all to the winner.",
                "Yes. Only the 4 made the output, so it gets everything. It is what the gradient of a max-pool does "
                "too, and nothing is lost.",
            ),
            "c": Option(
                "[[2, 2], [2, 2]]: the same to each.",
                "Then pixels that the network did not use would get relevance. The winner takes all.",
            ),
            "d": Option(
                "[[0, 32], [0, 0]]: 4 times 8 to the winner.",
                "The winner is right. But relevance is shared out, not multiplied: 8 came in, 8 goes on.",
            ),
        },
        answer="b",
    ),
    Question(
        id="lrp.empty_paper",
        text="On a canvas, empty paper is exactly 0 and ink is up to 1. A 7 is a 7 and not a 9 because a certain "
        "stretch of paper is empty. Which relevance does lrp give to these empty pixels?",
        options={
            "a": Option(
                "Positive: their being empty speaks for the 7.",
                "It may, but the rules cannot say so: every share has the factor a_i, and a_i = 0 here.",
            ),
            "b": Option(
                "Negative: there is no ink, so nothing speaks for the 7.",
                "Nothing speaks against it either. The share is a_i·w_ij with a_i = 0.",
            ),
            "c": Option(
                "Exactly 0.",
                "Yes. a_i·w_ij and a_i·(w_ij + γ·w_ij^+) are 0 for a_i = 0, whatever the weights. What is absent "
                "cannot be relevant to these rules, a limit that comes with the choice of 0 for paper.",
            ),
        },
        answer="c",
    ),
    Question(
        id="lrp.half_the_start",
        text="Someone starts from R = 1 at the target instead of R = y^c. What happens to the map of an image whose "
        "score is y^c = 4?",
        options={
            "a": Option(
                "Every value is 4 times smaller; the picture looks the same.",
                "Yes. All rules are linear in R, so a factor at the start is a factor at the end. A picture is scaled "
                "before it is coloured and cannot show it; the sum of the values can.",
            ),
            "b": Option(
                "Nothing changes: the shares add up to 1 in every layer.",
                "The proportions stay. But what is shared out is smaller: 1 in place of 4.",
            ),
            "c": Option(
                "The picture changes, because ε weighs more against a small R.",
                "ε is compared with z, the layer's output. It does not know R.",
            ),
        },
        answer="a",
    ),
    Question(
        id="lrp.what_is_kept",
        text="digit_net has biases. We take the ε-rule with hardly any ε in every layer, and add up the relevance "
        "of all pixels. Which part of the score y^c do we find, on 100 canvases?",
        options={
            "a": Option(
                "All of it: LRP conserves relevance.",
                "That law holds without biases. With them, z_j = Σ_i a_i·w_ij + b_j, and the share b_j / z_j stays "
                "with the bias in every layer.",
            ),
            "b": Option(
                "Nearly all of it: biases are small numbers.",
                "What counts is b_j / z_j, and z_j is often small because large contributions of both signs cancel in "
                "it. This network's biases make up a great part of what it computes.",
            ),
            "c": Option(
                "Anything: for some canvases more than all of it, for some less than nothing.",
                "Yes. The biases take shares of both signs, b_j / z_j can be larger than 1, and there are many "
                "layers. So look at the sum before you call a map a division of the score.",
            ),
        },
        answer="c",
    ),
)

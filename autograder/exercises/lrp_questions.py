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
        id="lrp.starts_from_one",
        text="Someone starts from R = 1 at the target instead of R = y^c. What happens to the map of an image whose "
        "score is positive?",
        options={
            "a": Option(
                "Every value is divided by y^c; the picture looks the same.",
                "Yes. All rules are linear in R, so a factor at the start is a factor at the end. A picture is scaled "
                "before it is coloured and cannot show it; the values can.",
            ),
            "b": Option(
                "Nothing changes: the shares are the same in every layer.",
                "The shares are the same. But what is shared out is another amount: 1 in place of y^c.",
            ),
            "c": Option(
                "The picture changes, because ε weighs more against a small R.",
                "ε is compared with z, the layer's output. It does not know R.",
            ),
        },
        answer="a",
    ),
    Question(
        id="lrp.gamma_and_the_sum",
        text="A network without biases, ε = 0. We raise γ from 0 to 1 and to 100, so that positive contributions count "
        "ever more. What happens to the sum of R over all pixels?",
        options={
            "a": Option(
                "It grows: positive relevance is added.",
                "Positive shares grow, but so does the denominator. The shares of one output still add up to 1.",
            ),
            "b": Option(
                "It shrinks: the negative part is left out and its relevance is lost.",
                "Nothing is left out, it only counts less. The shares of one output still add up to 1.",
            ),
            "c": Option(
                "It stays y^c.",
                "Yes. γ changes who gets how much, not how much there is: numerators and denominator have the same "
                "w + γ·w^+. Only a bias (or an ε) can take relevance away.",
            ),
        },
        answer="c",
    ),
)

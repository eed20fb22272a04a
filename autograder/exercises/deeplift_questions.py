"""Prediction questions of lesson 13, DeepLIFT."""

from __future__ import annotations

from autograder.records import Option, Question

QUESTIONS = (
    Question(
        id="deeplift.saturated",
        text="y = 1 - ReLU(1 - x_1 - x_2) at x = (3, 1), and the baseline is (0, 0). What do the gradient and DeepLIFT "
        "with the Rescale rule say?",
        options={
            "a": Option(
                "Both give (0, 0): near x nothing that we do to an input changes y.",
                "That is the gradient's answer. DeepLIFT compares with the baseline, where y is 0, and has to account "
                "for Δy = 1.",
            ),
            "b": Option(
                "The gradient gives (0, 0), DeepLIFT gives (0.75, 0.25).",
                "Yes. z = 1 - x_1 - x_2 goes from 1 to -3, so Δz = -4 and ReLU(z) falls by 1: m = 1/4. The output "
                "weight -1 times 1/4 times w_i·Δx_i = -3 and -1 gives 3/4 and 1/4.",
            ),
            "c": Option(
                "The gradient gives (0, 0), DeepLIFT gives (3, 1).",
                "These are the differences Δx_i. They sum to 4, but y rose by 1 only: the ReLU lets a quarter through.",
            ),
            "d": Option(
                "The gradient gives (0, 0), DeepLIFT gives (0.5, 0.5).",
                "They sum to 1, but Rescale shares in proportion to what each input adds to Δz, and these are -3 and "
                "-1.",
            ),
        },
        answer="b",
    ),
    Question(
        id="deeplift.changed_places",
        text="We exchange picture and baseline in the photo experiment: from the espresso to the grey picture in place "
        "of from the grey picture to the espresso. What happens to the DeepLIFT map (Rescale)?",
        options={
            "a": Option(
                "It stays as it is.",
                "The multipliers stay, as the slope of a line does not depend on where you begin. But Δx changes its "
                "sign.",
            ),
            "b": Option(
                "Every value changes its sign, and nothing else.",
                "Yes. Each m = Δy/Δz is symmetric in both ends, and Δx turns round. So does what they sum to, y - y⁰.",
            ),
            "c": Option(
                "It becomes another map: the multipliers are now taken at the grey picture.",
                "That would be so for gradient x difference. A multiplier belongs to both ends together, not to one "
                "of them.",
            ),
            "d": Option(
                "It becomes 0, because a grey picture has nothing to explain.",
                "What is explained is the difference of two scores, and that has only changed its sign.",
            ),
        },
        answer="b",
    ),
    Question(
        id="deeplift.same_picture",
        text="We take the photo itself as the baseline. What does DeepLIFT return?",
        options={
            "a": Option(
                "The gradient, because that is the fallback for Δz = 0.",
                "The multipliers are indeed the gradient then. But a contribution is the multiplier times Δx, and Δx "
                "is 0.",
            ),
            "b": Option(
                "NaN: every Δy/Δz is 0/0.",
                "That is why the rule has a fallback: where Δz = 0 the multiplier is the derivative, a number.",
            ),
            "c": Option(
                "Gradient x input.",
                "That would be so with a baseline of 0 and a network without biases. Here Δx = 0.",
            ),
            "d": Option(
                "0 everywhere.",
                "Yes: Δx = 0, so C_i = 0, and they sum to y - y⁰ = 0. Nothing differs, so nothing has to be explained.",
            ),
        },
        answer="d",
    ),
    Question(
        id="deeplift.absent_ink",
        text="A canvas shows a 3. The two gaps on its left are black; with ink there it would be an 8. The baseline is "
        "a black canvas. Which contribution to the score of 3 do the pixels in these gaps get?",
        options={
            "a": Option(
                "A positive one, because the gaps are what tells a 3 from an 8.",
                "The network may well use them. But a black pixel does not differ from the black baseline: Δx_i = 0.",
            ),
            "b": Option(
                "Exactly 0.",
                "Yes: C_i = m_i·Δx_i with Δx_i = 0. What is the same in picture and baseline gets nothing, however "
                "much the network relies on it. Another baseline gives these pixels a voice.",
            ),
            "c": Option(
                "A negative one, because ink is missing there.",
                "Missing compared with what? The baseline is black there as well, so nothing is missing: Δx_i = 0.",
            ),
            "d": Option(
                "A small one of either sign: it depends on the weights.",
                "The multiplier depends on the weights. It is multiplied with Δx_i, which is 0 for a black pixel.",
            ),
        },
        answer="b",
    ),
)

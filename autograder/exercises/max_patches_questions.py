"""Prediction questions of lesson 05, maximum patches."""

from __future__ import annotations

from autograder.records import Option, Question

QUESTIONS = (
    Question(
        id="max_patches.first_stride",
        text="Two convolutions with kernel 3 and padding 1, one after the other, both with stride 1: a unit sees "
        "r = 5 pixels. Now the first one gets stride 2, and nothing else changes. How large is r?",
        options={
            "a": Option(
                "5. A stride thins out the grid, but a kernel still covers three places.",
                "It does cover three places. But these places now lie J = 2 pixels apart, and that makes the field "
                "wider. Leaving out the jump is the most common mistake with receptive fields.",
            ),
            "b": Option(
                "7",
                "Yes: r = 3 after the first layer, and its stride makes J = 2. The second kernel adds (3 − 1)·J = 4.",
            ),
            "c": Option(
                "9. The first layer adds 2·2 and the second one 2·2.",
                "The first kernel steps over pixels, so it adds (3 − 1)·1 = 2. Its own stride works only for the "
                "layers after it: J is updated last.",
            ),
            "d": Option(
                "10. The grid is half as fine, so everything doubles.",
                "Only what comes after the stride doubles: r = 3 from the first layer stays, and the second adds 4.",
            ),
        },
        answer="b",
    ),
    Question(
        id="max_patches.paint_outside",
        text="On a canvas with a digit we take the unit of digit_net's block3 that won, and paint every pixel outside "
        "its box white. What happens to the activation of this unit?",
        options={
            "a": Option(
                "It falls to 0: the digit is no longer there.",
                "The unit never knew the whole canvas. What it computes, it computes from the pixels in its box.",
            ),
            "b": Option(
                "It changes a little: every pixel has some influence.",
                "That holds for the score of a class, which sees all pixels. A unit of block3 has no path at all from "
                "a pixel outside its field: the influence is exactly 0.",
            ),
            "c": Option(
                "It stays exactly as it was, to the last bit.",
                "Yes. This is what the receptive field means, and it is a sharp test of your boxes: one pixel off, and "
                "the law breaks.",
            ),
        },
        answer="c",
    ),
    Question(
        id="max_patches.in_the_corner",
        text="The field of digit_net's last layer is r = 39 pixels wide, and unit (0, 0) has its middle at pixel "
        "(0, 0). We cut out what this unit sees. What does the patch look like?",
        options={
            "a": Option(
                "39 x 39 pixels, all from the image: the box is pushed inside.",
                "The unit would have other weights on these pixels then. Its box stays where it is, and what hangs "
                "over the border is padding.",
            ),
            "b": Option(
                "20 x 20 pixels: the box ends at the border.",
                "These 20 x 20 pixels are the part that lies in the image. But the unit looks at 39 x 39 places, and "
                "most of them are padding: the patch keeps its size, so that patches can be compared.",
            ),
            "c": Option(
                "39 x 39 pixels, about a quarter of them from the image.",
                "Yes: rows and columns −19 to 19, of which 0 to 19 lie in the image. 20·20 of 39·39 is 26 %; the rest "
                "is 0.",
            ),
            "d": Option(
                "39 x 39 pixels, half of them from the image.",
                "About half of the rows and half of the columns lie in the image. Both together leave a quarter.",
            ),
        },
        answer="c",
    ),
    Question(
        id="max_patches.bias_raised",
        text="We add 5 to the bias of channel k in the convolution before the layer, which has no ReLU after it. What "
        "happens to the nine patches of this channel?",
        options={
            "a": Option(
                "Other patches win: a higher bias lets weaker patterns through.",
                "All units of the channel gain the same 5. Who is ahead stays ahead.",
            ),
            "b": Option(
                "The same patches win, and every score is 5 higher.",
                "Yes: max(A + 5) = max(A) + 5, at the same place. The patches say what a channel prefers, and nothing "
                "about when it starts to respond. That is why the scores belong to the picture.",
            ),
            "c": Option(
                "The same patches win, with the same scores.",
                "The score is the activation itself, raw, and that includes the bias.",
            ),
        },
        answer="b",
    ),
)

"""Prediction questions of lesson 15, which map."""

from autograder.records import Option, Question

QUESTIONS = (
    Question(
        id="which_map.flat_map",
        text="A method gives up and returns a map that is 1 at every pixel. What does it score in the pointing game "
        "(t = 0) on our canvases, where a box covers about an eighth of the picture?",
        options={
            "a": Option(
                "1: the box contains a highest pixel.",
                "Many lie outside as well. If one hit among the ties were enough, giving up would be the best method "
                "of all.",
            ),
            "b": Option(
                "0: a flat map has no peak.",
                "Every pixel is a highest pixel, and some of them lie in the box.",
            ),
            "c": Option(
                "The share of the picture that the box covers, about 1/8.",
                "Yes: all pixels tie, and h is the share of them that hits. That is what a pixel drawn at random would "
                "score on average.",
            ),
            "d": Option(
                "1 or 0: it depends on whether the top left pixel lies in the box, for argmax returns that one.",
                "That looks at the first of the ties only. A score must not depend on the order in which pixels are "
                "read.",
            ),
        },
        answer="c",
    ),
    Question(
        id="which_map.map_raised",
        text="We add to a signed map its largest |value|, the same number at every pixel, so that no pixel is negative "
        "any more. Which of the measures change?",
        options={
            "a": Option(
                "None: the map looks the same.",
                "A picture is scaled before it is coloured and looks the same. The positive part does not: pixels that "
                "were negative have energy now.",
            ),
            "b": Option(
                "All of them.",
                "The pointing game, the deletion curve and ρ use nothing but the order of the pixels, and the order "
                "stays.",
            ),
            "c": Option(
                "Only the energy in the box.",
                "Yes. It is the one measure that uses the values. The raised map is almost flat, so its energy falls "
                "to about the share of the picture that the box covers.",
            ),
            "d": Option(
                "Only the hits in the pointing game.",
                "The highest pixel stays the highest one, whatever is added to all.",
            ),
        },
        answer="c",
    ),
    Question(
        id="which_map.least_first",
        text="We make an insertion curve the wrong way round: the least important pixels are put into the empty canvas "
        "first. How large is the area under it?",
        options={
            "a": Option(
                "Exactly that of the deletion curve.",
                "Yes. With the least important pixels in, the most important ones are still missing: the pictures are "
                "those of the deletion curve, in the opposite order, and an area does not mind the direction.",
            ),
            "b": Option(
                "1 minus the area of the deletion curve.",
                "Reading a curve backwards does not turn it upside down.",
            ),
            "c": Option(
                "That of the insertion curve: in the end all pixels are in.",
                "Both end with the whole picture, but between the ends other pixels are in.",
            ),
            "d": Option(
                "Nothing can be said without computing it.",
                "Compare the pictures: which pixels are missing after k steps of each?",
            ),
        },
        answer="a",
    ),
)

"""Predictions of lesson 04, layer activation."""

from __future__ import annotations

from autograder.records import Option, Question

QUESTIONS = (
    Question(
        id="layer_activation.small_mask",
        text="A concept covers a quarter of all pixels. With q = 0.995 each channel is on at about 1 pixel in 200. "
        "How large can the IoU of the best channel be?",
        options={
            "a": Option(
                "1, if the channel is on at the right pixels only.",
                "That would be its precision, |M ∩ L| / |M|. All the pixels of the concept that M misses are in the "
                "union too.",
            ),
            "b": Option(
                "About 0.02, even if every pixel of its mask lies in the concept.",
                "Yes. |M ∩ L| is at most |M|, and |M ∪ L| at least |L|: IoU <= 0.005 / 0.25 = 0.02. So an IoU means "
                "something only beside the quantile and the size of the concept.",
            ),
            "c": Option(
                "About 0.99, because nearly all pixels agree: off in the mask, outside in the concept.",
                "That would be the accuracy. Pixels that lie in neither M nor L do not count in the IoU.",
            ),
            "d": Option(
                "About 0.04.",
                "That is the Dice score, 2|M ∩ L| / (|M| + |L|), of the best possible mask. The IoU is about half.",
            ),
        },
        answer="b",
    ),
    Question(
        id="layer_activation.own_threshold",
        text="The maps of features.block16, just before the last layer, are not cut off at 0: no ReLU follows. Someone "
        "takes the quantile q = 0.9 in each mosaic separately. In how many of the 64 mosaics is this layer's best "
        "channel for coffee then on somewhere, although only 39 of them show the cup?",
        options={
            "a": Option(
                "In those with the cup only: elsewhere the channel has nothing to answer to.",
                "With one threshold for all images, that is the idea. With a threshold of its own, an image is "
                "compared with itself only, and its own strongest places are on even if they are weak.",
            ),
            "b": Option(
                "In all 64.",
                "Yes. The top tenth of every map is above that map's own quantile. The masks no longer say whether "
                "the concept is there, only where the map is largest.",
            ),
            "c": Option(
                "In a tenth of them.",
                "P(a_k > T_k) = 1 - q is a share of positions, not of images.",
            ),
        },
        answer="b",
    ),
    Question(
        id="layer_activation.false_alarms",
        text="Two images. In the first, a channel marks exactly the 100 pixels of the concept. The second does not "
        "show the concept, and the channel marks 100 pixels there too. What is its data-set IoU?",
        options={
            "a": Option(
                "1: where the concept is, the channel is perfect.",
                "You left out the image without the concept. What is marked there is a false alarm and belongs to the "
                "union.",
            ),
            "b": Option(
                "0.5.",
                "Yes: (100 + 0) / (100 + 100). The mean of the images' own IoUs, 1 and 0, happens to be the same "
                "here; with 300 false pixels it would still be 0.5, and the data-set IoU 0.25.",
            ),
            "c": Option(
                "About 0.67.",
                "That is the Dice score, 2·100 / (200 + 100). The union has 200 pixels, the intersection 100.",
            ),
            "d": Option(
                "0: one false image is enough.",
                "The intersections and the unions are summed first and divided once: no single image decides.",
            ),
        },
        answer="b",
    ),
)

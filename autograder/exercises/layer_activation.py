"""Lesson 04, layer activation: where each channel of a layer answers, and what it answers to."""

from __future__ import annotations

from torch import Tensor, nn

import cnnviz
from autograder.exercises import layer_activation_fixtures as fixtures
from autograder.exercises import layer_activation_laws as laws
from autograder.exercises.layer_activation_iou_misconceptions import IOU
from autograder.exercises.layer_activation_misconceptions import CAPTURE, METHOD
from autograder.exercises.layer_activation_part_misconceptions import MASKS, THRESHOLDS
from autograder.exercises.layer_activation_questions import QUESTIONS
from autograder.exercises.telling import telling
from autograder.records import Call, Case, Exercise, Law, Lesson
from cnnviz_ref import activations as layer_activations
from cnnviz_ref.activation_masks import channel_thresholds as thresholds_of
from cnnviz_ref.activation_masks import dataset_iou as overlap_with
from cnnviz_ref.activation_masks import upsampled_masks

# References: the parts of the method, under the names that the student's functions have.


def capture(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """A [N K h w]: the layer's output as it is when the layer returns."""
    return layer_activations(model, images, layer)


def channel_thresholds(activations: Tensor, quantile: float) -> Tensor:
    """T [K]: P(a_k > T_k) = 1 - q over all positions of all images."""
    return thresholds_of(activations, quantile)


def upsample_and_mask(activations: Tensor, thresholds: Tensor, size: tuple[int, int]) -> Tensor:
    """M [N K H W]: bilinear to the image's size, then the threshold."""
    return upsampled_masks(activations, thresholds, size)


def dataset_iou(masks: Tensor, concept: Tensor) -> Tensor:
    """IoU [K]: Σ_n |M_k(n) ∩ L(n)| / Σ_n |M_k(n) ∪ L(n)|."""
    return overlap_with(masks, concept[:, None])[:, 0]


def dissect(model: nn.Module, images: Tensor, concept: Tensor, layer: str, *, quantile: float) -> Tensor:
    """IoU [K] of every channel of the layer with the concept."""
    A = capture(model, images, layer)
    T = channel_thresholds(A, quantile)
    return dataset_iou(upsample_and_mask(A, T, (concept.shape[1], concept.shape[2])), concept)


# Showcases


def _photo_call() -> Call:
    images = cnnviz.preprocess(cnnviz.photo("coffee"))
    return Call(
        {"model": cnnviz.efficientnet_lite0().requires_grad_(False), "images": images, "layer": "features.stem"}
    )


def _photo_layer() -> Call:
    """The channel of the last layer that fits the cup best in the lesson's mosaics."""
    call = _photo_call()
    A = layer_activations(call.inputs["model"], call.inputs["images"], "features")[:, [380]]
    return Call({"activations": A, "thresholds": thresholds_of(A, 0.75), "size": (224, 224)})


EXERCISES = (
    Exercise(
        id="layer_activation.capture",
        title="What a layer puts out",
        reference=capture,
        formula=r"A^k_{ij}(n)",
        outputs=("A",),
        cases=(
            Case(
                "ReLUs in place after the layer, names that contain each other, a pass that fails",
                telling(fixtures.in_place, capture, CAPTURE, apart=0.001),
            ),
            Case(
                "other networks, frozen weights, a single image; again names, and a pass that fails",
                telling(fixtures.other_layers, capture, CAPTURE, apart=0.001),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "first_convolution_is_affine",
                "A convolution of the pixels is affine: A of the mean of two images is the mean of their A. With a "
                "ReLU in it, it would not be.",
                laws.mixtures,
                laws.affine,
            ),
            Law(
                "head_on_A_gives_y",
                "A is what the rest of the network works on: head(pool(A)) = y.",
                laws.pooled,
                laws.scores_again,
            ),
        ),
        special={"not even if the forward pass fails": ""},
        misconceptions=CAPTURE,
        hints=(
            "The layer runs in the middle of the forward pass. How can you look at what it puts out, and how can you "
            "make sure that nobody changes it afterwards?",
            "A forward hook, hook(module, inputs, output), runs right after the layer. Keep output.clone() there: a "
            "copy that an in-place ReLU cannot reach. torch.no_grad() saves the graph; handle.remove() takes the hook "
            "off, in a finally.",
            "1. kept = []\n"
            "2. hook(module, inputs, output): kept.append(output.detach().clone())\n"
            "3. handle = model.get_submodule(layer).register_forward_hook(hook)\n"
            "4. try: with torch.no_grad(): model(images); finally: handle.remove()\n"
            "5. return kept[-1]",
        ),
        minutes=12,
        difficulty=2,
        lines=8,
        showcase=_photo_call,
    ),
    Exercise(
        id="layer_activation.channel_thresholds",
        title="One threshold for each channel",
        reference=channel_thresholds,
        formula=r"P(a_k > T_k) = 1 - q",
        outputs=("T",),
        cases=(
            Case(
                "three layers, three quantiles; a layer with many zeros",
                telling(fixtures.three_quantiles, channel_thresholds, THRESHOLDS, apart=0.001),
            ),
            Case(
                "other sizes and quantiles; a layer with many zeros",
                telling(fixtures.other_quantiles, channel_thresholds, THRESHOLDS, apart=0.001),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "share_above",
                "A share 1 - q of the channel's N·h·w values is above T_k, to within one value.",
                laws.counted,
                laws.share_above,
            ),
            Law(
                "places_do_not_matter",
                "Moving values to other places of other images does not change T_k: all go into one row.",
                laws.moved_about,
                laws.all_the_same,
            ),
            Law("follows_the_units", "T of 3·A - 2 is 3·T - 2.", laws.other_units, laws.follows),
        ),
        misconceptions=THRESHOLDS,
        hints=(
            "activations has four axes: image, channel, row, column. Which of them does T_k still have, and how many "
            "values does one quantile look at?",
            "Bring the channels to the front and flatten all the rest: [K N·h·w]. Then torch.quantile along the last "
            "axis; its default interpolation is the linear one that we want.",
            "1. rows = activations.transpose(0, 1).flatten(1)\n2. return rows.quantile(quantile, dim=1)",
        ),
        minutes=8,
        difficulty=2,
        lines=2,
    ),
    Exercise(
        id="layer_activation.upsample_and_mask",
        title="Enlarge, then cut",
        reference=upsample_and_mask,
        formula=r"M_k = \big(\mathrm{up}(A^k) > T_k\big)",
        outputs=("M",),
        cases=(
            Case(
                "two sizes, a channel that is 0 everywhere, maps of tiny numbers",
                telling(fixtures.cuts, upsample_and_mask, MASKS, apart=0.001),
            ),
            Case(
                "other grids and sizes, maps of tiny numbers",
                telling(fixtures.other_cuts, upsample_and_mask, MASKS, apart=0.001),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "no_enlargement",
                "Where (H, W) = (h, w), nothing is enlarged and M is A > T.",
                laws.its_own_size,
                laws.plain_comparison,
            ),
            Law(
                "units_do_not_matter",
                "4·A + 8 against 4·T + 8 gives the same mask as A against T.",
                laws.shifted,
                laws.all_the_same,
            ),
        ),
        misconceptions=MASKS,
        hints=(
            "A mask of whole grid cells has a staircase for an outline. What has to come first for the outline to run "
            "between the cells: enlarging, or comparing?",
            'torch.nn.functional.interpolate takes [N K h w]; mode="bilinear", align_corners=False. thresholds [K] '
            "needs two more axes to line up with [N K H W].",
            '1. large = F.interpolate(activations, size=size, mode="bilinear", align_corners=False)\n'
            "2. return large > thresholds[:, None, None]",
        ),
        minutes=8,
        difficulty=1,
        lines=2,
        showcase=_photo_layer,
    ),
    Exercise(
        id="layer_activation.dataset_iou",
        title="Overlap with a concept",
        reference=dataset_iou,
        formula=r"\mathrm{IoU}_k = \frac{\sum_n |M_k(n) \cap L(n)|}{\sum_n |M_k(n) \cup L(n)|}"
        r"\,, \quad 0 \text{ where the union is empty}",
        outputs=("IoU",),
        cases=(
            Case(
                "a channel that is never on, one channel alone, an image without the concept",
                telling(fixtures.overlaps, dataset_iou, IOU, apart=0.001),
            ),
            Case(
                "other sizes, one channel alone, and a concept that is nowhere",
                telling(fixtures.other_overlaps, dataset_iou, IOU, apart=0.001),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "images_side_by_side",
                "Pictures put together two and two are the same data set: the IoU stays.",
                laws.side_by_side,
                laws.all_the_same,
            ),
            Law(
                "mask_and_concept_exchanged",
                "IoU does not ask which of the two is the mask: exchanged, they give the same number.",
                laws.turned_round,
                laws.all_the_same,
            ),
        ),
        special={"0 where the union is empty": "nan_for_empty"},
        misconceptions=IOU,
        hints=(
            "For one channel and one image you can count the pixels in both and the pixels in either. Over which axes "
            "do you add these counts, and when do you divide?",
            "concept[:, None] lines up with masks. & is the intersection, | the union; sum over images, rows and "
            "columns, dim=(0, 2, 3). Put a 1 in place of a union of 0.",
            "1. concept = concept[:, None]\n"
            "2. intersection = (masks & concept).sum(dim=(0, 2, 3))\n"
            "3. union = (masks | concept).sum(dim=(0, 2, 3))\n"
            "4. return intersection / union.clamp(min=1)",
        ),
        minutes=10,
        difficulty=2,
        lines=4,
    ),
    Exercise(
        id="layer_activation.dissect",
        title="Dissect a layer",
        reference=dissect,
        formula=r"\mathrm{IoU}_k \text{ of } M_k = \big(\mathrm{up}(A^k) > T_k\big) \text{ with } L",
        outputs=("IoU",),
        cases=(
            Case("five images, a grid of half the size", telling(fixtures.dissections, dissect, METHOD, apart=0.001)),
            Case(
                "other networks and quantiles",
                telling(fixtures.other_dissections, dissect, METHOD, apart=0.001),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "bias_does_not_matter",
                "A bias b_k added to channel k moves T_k by b_k, so the masks and the IoU stay.",
                laws.other_biases,
                laws.all_the_same,
            ),
        ),
        special={"where the concept is": "on_the_grid"},
        misconceptions=METHOD,
        hints=(
            "You have all the parts. In which order does the formula use them, read from the inside to the outside?",
            "capture gives A; channel_thresholds makes T of it, on the layer's grid; upsample_and_mask needs the size "
            "of the concept's pictures; dataset_iou compares.",
            "1. A = capture(model, images, layer)\n"
            "2. T = channel_thresholds(A, quantile)\n"
            "3. M = upsample_and_mask(A, T, concept.shape[1:])\n"
            "4. return dataset_iou(M, concept)",
        ),
        minutes=5,
        difficulty=1,
        lines=4,
        builds_on=tuple(
            f"layer_activation.{name}" for name in ("capture", "channel_thresholds", "upsample_and_mask", "dataset_iou")
        ),
    ),
)

LESSON = Lesson(
    id="04_layer_activation",
    title="Layer activation",
    summary="Find where each channel answers most strongly, and measure how well that overlaps with a thing we name.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

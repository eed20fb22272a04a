"""Lesson 8, saliency: how strongly the score of a class reacts to each pixel."""

from __future__ import annotations

from torch import Tensor, nn

import cnnviz
from autograder.exercises import saliency_fixtures as fixtures
from autograder.exercises import saliency_laws as laws
from autograder.exercises import saliency_misconceptions as mistakes
from autograder.exercises import saliency_part_misconceptions as part_mistakes
from autograder.exercises import saliency_probability_misconceptions as softmax_mistakes
from autograder.exercises.telling import telling
from autograder.records import Call, Case, Exercise, Law, Lesson, Option, Question
from cnnviz_ref.saliency import image_gradient, saliency, strongest_colour

# References: the parts of the method, under the names that the student's functions have.


def input_gradient(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """G [N C H W]: ∂y^c/∂I, with its sign."""
    return image_gradient(model, images, targets)


def saliency_map(gradients: Tensor) -> Tensor:
    """M [N H W]: max_k |G_k|."""
    return strongest_colour(gradients)


def squared_map(gradients: Tensor) -> Tensor:
    """S [N H W]: max_k G_k²."""
    return strongest_colour(gradients).square()


def probability_gradient(score_gradients: Tensor, scores: Tensor, targets: Tensor) -> Tensor:
    """∂p^c/∂I [N C H W]: p^c (∂y^c/∂I - Σ_d p^d ∂y^d/∂I)."""
    p = scores.softmax(dim=1)
    own = softmax_mistakes.row(score_gradients, targets) - softmax_mistakes.weighted(p, score_gradients)
    return softmax_mistakes.wide(softmax_mistakes.row(p, targets)) * own


# Showcases


def _digit_call() -> Call:
    """A four among scribbles: few enough pixels for single ones to be seen."""
    digits = cnnviz.cluttered_digits(1, seed=1, split="test")
    return Call({"model": cnnviz.digit_net(), "images": digits.images, "targets": digits.labels})


def _digit_gradients() -> Call:
    return Call({"gradients": image_gradient(**_digit_call().inputs)})


EXERCISES = (
    Exercise(
        id="saliency.input_gradient",
        title="The gradient of a score with respect to the picture",
        reference=input_gradient,
        formula=r"G_{kij} = \frac{\partial y^c}{\partial I_{kij}}",
        outputs=("G",),
        cases=(
            Case(
                "frozen weights, BatchNorm, a class that no pixel moves, a network in use",
                telling(fixtures.in_place, input_gradient, mistakes.GRADIENT),
            ),
            Case(
                "other networks, with BatchNorm and dropout; one in use",
                telling(fixtures.other_networks, input_gradient, mistakes.GRADIENT),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "tiny_step",
                "G predicts what a tiny change v of the image does to the score: y^c(I + v) - y^c(I) = Σ G·v.",
                laws.stepped,
                laws.tiny_step,
            ),
            Law(
                "gradient_is_w_on_a_linear_model",
                "Where y^c = Σ w_c·I + b_c, the gradient is w_c, whatever the image.",
                laws.linear,
                laws.is_w,
            ),
        ),
        misconceptions=mistakes.GRADIENT,
        hints=(
            "In training, autograd differentiates with respect to the weights. Here the weights stay as they are. "
            "Which tensor is the variable, and how does autograd come to know that?",
            "Make a copy of the images that autograd follows: images.detach().clone().requires_grad_(). Pick one score "
            "of each row, and add the N of them up: image n moves only its own score, so the gradient of the sum holds "
            "each image's own gradient. torch.autograd.grad returns it and fills no .grad.",
            "1. leaf = images.detach().clone().requires_grad_()\n"
            "2. y = model(leaf)[torch.arange(len(images)), targets]\n"
            "3. (gradients,) = torch.autograd.grad(y.sum(), leaf)\n"
            "4. return gradients",
        ),
        minutes=12,
        difficulty=2,
        lines=4,
    ),
    Exercise(
        id="saliency.saliency_map",
        title="The map",
        reference=saliency_map,
        formula=r"M_{ij} = \max_k \left| G_{kij} \right|",
        outputs=("M",),
        cases=(
            Case(
                "three images, one of them without any gradient; a grey one; and two of four colours",
                telling(fixtures.three_colours, saliency_map, part_mistakes.MAP),
            ),
            Case(
                "two colours, four colours, other sizes",
                telling(fixtures.other_colours, saliency_map, part_mistakes.MAP),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "sign_does_not_count",
                "A gradient turned round and twice as long has twice the map: M(-2·G) = 2·M(G).",
                laws.turned_round,
                laws.doubled,
            ),
            Law(
                "grey_gradient",
                "Where all colours have the same gradient g, M = |g|, however many colours there are.",
                laws.grey,
                laws.size_of_grey,
            ),
        ),
        misconceptions=part_mistakes.MAP,
        hints=(
            "A pixel has one G_k for each colour, such as +1, -5 and +2. Which of the three says how strongly the "
            "score can react to this pixel?",
            "First the absolute value of every entry, then the maximum over the axis of the colours. Tensor.amax takes "
            "an axis.",
            "return gradients.abs().amax(dim=the axis of the colours)",
        ),
        minutes=5,
        difficulty=1,
        lines=1,
        showcase=_digit_gradients,
    ),
    Exercise(
        id="saliency.squared_map",
        title="The map with more contrast",
        reference=squared_map,
        formula=r"S_{ij} = \max_k \left( G_{kij} \right)^2",
        outputs=("S",),
        cases=(
            Case(
                "three images, one of them without any gradient; a grey one; and two of four colours",
                telling(fixtures.three_colours, squared_map, part_mistakes.SQUARED),
            ),
            Case(
                "two colours, four colours, other sizes",
                telling(fixtures.other_colours, squared_map, part_mistakes.SQUARED),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "twice_the_gradient",
                "A gradient turned round and twice as long has four times the map: S(-2·G) = 4·S(G).",
                laws.turned_round,
                laws.quadrupled,
            ),
            Law(
                "grey_gradient",
                "Where all colours have the same gradient g, S = g², however many colours there are.",
                laws.grey,
                laws.square_of_grey,
            ),
        ),
        misconceptions=part_mistakes.SQUARED,
        hints=(
            "A square is never negative. Do you still need the absolute value?",
            "Square every entry, then take the maximum over the axis of the colours. Or square what the exercise "
            "before gives: it comes to the same.",
            "return gradients.square().amax(dim=the axis of the colours)",
        ),
        minutes=4,
        difficulty=1,
        lines=1,
        showcase=_digit_gradients,
    ),
    Exercise(
        id="saliency.saliency",
        title="The whole method",
        reference=saliency,
        formula=r"M_{ij} = \max_k \left| \frac{\partial y^c}{\partial I_{kij}} \right| \quad\text{or}\quad "
        r"S_{ij} = \max_k \left( \frac{\partial y^c}{\partial I_{kij}} \right)^2",
        outputs=("map",),
        cases=(
            Case(
                "both forms, frozen weights, BatchNorm, a class that no pixel moves, a network in use",
                telling(fixtures.both_forms, saliency, mistakes.METHOD),
            ),
            Case(
                "other networks in both forms, with BatchNorm and dropout",
                telling(fixtures.both_forms_elsewhere, saliency, mistakes.METHOD),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "size_of_w_on_a_linear_model",
                "Where y^c = Σ w_c·I + b_c, the map is max_k |w_k|, and its square in the other form, for every image.",
                laws.linear_in_both_forms,
                laws.is_size_of_w,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                laws.batch_and_singles,
                laws.as_in_the_batch,
            ),
        ),
        misconceptions=mistakes.METHOD,
        hints=(
            "You have all the parts. Which of them does form choose between?",
            "input_gradient gives G. saliency_map and squared_map each make a map of it: call the one that form names.",
            "1. gradients = input_gradient(model, images, targets)\n"
            '2. return squared_map(gradients) if form == "squared" else saliency_map(gradients)',
        ),
        minutes=4,
        difficulty=1,
        lines=2,
        builds_on=("saliency.input_gradient", "saliency.saliency_map", "saliency.squared_map"),
        showcase=_digit_call,
    ),
    Exercise(
        id="saliency.probability_gradient",
        title="From the scores to the probability",
        reference=probability_gradient,
        formula=r"\frac{\partial p^c}{\partial I} = p^c \Big( \frac{\partial y^c}{\partial I} - "
        r"\sum_d p^d \, \frac{\partial y^d}{\partial I} \Big)",
        outputs=("∂p^c/∂I",),
        cases=(
            Case(
                "three images; and three whose scores are over 700, round 0, and below -700",
                telling(fixtures.large_scores, probability_gradient, softmax_mistakes.PROBABILITY),
            ),
            Case(
                "more classes, other sizes",
                telling(fixtures.more_classes, probability_gradient, softmax_mistakes.PROBABILITY),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "sums_to_zero",
                "The probabilities always sum to 1, so what one class gains the others lose: Σ_c ∂p^c/∂I = 0.",
                laws.every_class,
                laws.sums_to_zero,
            ),
            Law(
                "a_push_for_all_does_nothing",
                "What raises all scores alike changes no probability: the same term added to every ∂y^d/∂I leaves "
                "∂p^c/∂I as it was.",
                laws.pushed,
                laws.push_does_nothing,
            ),
            Law(
                "flat_where_sure",
                "Where y^c is 40 above all other scores, p^c is 1 and cannot rise: ∂p^c/∂I = 0.",
                laws.sure,
                laws.is_flat,
            ),
        ),
        misconceptions=softmax_mistakes.PROBABILITY,
        hints=(
            "The formula has three ingredients: one number p^c, one gradient ∂y^c/∂I, and one average of gradients. "
            "What is the shape of each, for N images?",
            "p = scores.softmax(dim=1) is [N classes]. The average over d multiplies each of the gradients "
            "[N classes C H W] with its p^d, so give p three axes of size 1 and sum over axis 1, or write it with "
            "torch.einsum. Entries of the targets: x[torch.arange(N), targets].",
            "1. p = scores.softmax(dim=1)[:, :, None, None, None]\n"
            "2. average = (p * score_gradients).sum(over the classes)\n"
            "3. rows = torch.arange(len(targets))\n"
            "4. return p[rows, targets] * (score_gradients[rows, targets] - average)",
        ),
        minutes=15,
        difficulty=3,
        lines=4,
    ),
)

QUESTIONS = (
    Question(
        id="saliency.minus_the_score",
        text="Someone differentiates -y^c in place of y^c: the map then asks what speaks against espresso. "
        "How does M of the coffee photo change?",
        options={
            "a": Option(
                "Bright and dark places change roles: what was important for espresso is now unimportant.",
                "M says how strongly the score reacts, not in which direction. A pixel to which y^c reacts strongly "
                "is one to which -y^c reacts strongly.",
            ),
            "b": Option(
                "It becomes negative everywhere.",
                "G becomes -G, but M = max_k |G_k| takes the absolute value before anything else. It cannot be "
                "negative.",
            ),
            "c": Option(
                "Not at all: it is exactly the same map.",
                "Yes: |-G| = |G|. So M cannot tell what speaks for a class from what speaks against it.",
            ),
            "d": Option(
                "It becomes the map of the class that comes second.",
                "-y^c contains no other class's score. Its gradient is -G.",
            ),
        },
        answer="c",
    ),
    Question(
        id="saliency.painted_square",
        text="We paint a square of the photo in middle grey, which is the number 0 for the network. What is M inside "
        "the square?",
        options={
            "a": Option(
                "Zero: the pixels are 0 there, so they add nothing to the score.",
                "That would be so if the gradient were multiplied with the pixels (gradient x input). M asks what the "
                "score would do if these pixels changed, and from 0 they can change too.",
            ),
            "b": Option(
                "Exactly what it was before we painted: M belongs to the network, not to the picture.",
                "That is true of a linear model, where G = w_c for every image. In a network with ReLUs the gradient "
                "depends on the picture.",
            ),
            "c": Option(
                "Not zero, and not what it was before.",
                "Yes: the score would react if the grey pixels changed, and the gradient is taken at another picture "
                "now. So a place where nothing is can be bright in M.",
            ),
        },
        answer="c",
    ),
    Question(
        id="saliency.ten_times_the_scores",
        text="We multiply all scores by 10. The order of the classes stays, and espresso is still the first. "
        "What happens to the largest |∂y^c/∂I|, and to the largest |∂p^c/∂I|?",
        options={
            "a": Option(
                "Both grow tenfold.",
                "The score's does. But p^c is very near 1 now, and where it cannot rise any more it is flat.",
            ),
            "b": Option(
                "The first grows tenfold, the second almost vanishes.",
                "Yes: ten times y^c has ten times the gradient. p^c comes so near to 1 that "
                "p^c (∂y^c/∂I - Σ_d p^d ∂y^d/∂I) has almost nothing left in the bracket.",
            ),
            "c": Option(
                "The first grows tenfold, the second stays: the softmax brings everything back to the same scale.",
                "The softmax divides by a sum of exponentials. A factor 10 in the scores changes the probabilities, "
                "and their gradient with them.",
            ),
            "d": Option(
                "Both almost vanish, because the network is sure now.",
                "The score has no upper end, so being sure does not flatten it. It is the probability that saturates.",
            ),
        },
        answer="b",
    ),
)

LESSON = Lesson(
    id="08_saliency",
    title="Saliency",
    summary="Differentiate a class's score with respect to the pixels: where it is steep, the score reacts.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

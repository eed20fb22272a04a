"""Lesson 12, guided Grad-CAM: fine lines from one map, the class from another."""

from __future__ import annotations

from torch import Tensor, nn

from autograder.exercises import guided_grad_cam_alpha_misconceptions as alpha_mistakes
from autograder.exercises import guided_grad_cam_fixtures as fixtures
from autograder.exercises import guided_grad_cam_misconceptions as mistakes
from autograder.exercises import guided_grad_cam_part_misconceptions as part_mistakes
from autograder.exercises.telling import telling
from autograder.records import Case, Exercise, Law, Lesson, Option, Question
from cnnviz_ref import guided_grad_cam as method

# References: the parts of the method, under the names that the student's functions have.


def upsample(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """U [N H W]: bilinear, centres of places at the middle of their pixels."""
    return part_mistakes.enlarged(maps, size)


def combine(guided: Tensor, maps: Tensor) -> Tensor:
    """G [N C H W]: R·U."""
    return guided * maps[:, None]


def two_alphas(activations: Tensor, hidden: Tensor, output: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """α and α̃ [N K]: by plain gradients and by guided signals."""
    plain, guided = alpha_mistakes.alphas(activations, hidden, output, targets)
    return plain, guided


def guided_grad_cam(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """G [N C H W]: guided backpropagation times the enlarged Grad-CAM map."""
    return method(model, images, targets, layer)


EXERCISES = (
    Exercise(
        id="guided_grad_cam.upsample",
        title="From the grid to the pixels",
        reference=upsample,
        formula=r"U_{ij} = \text{bilinear mix of } L \text{ at } (u, v), \quad u = \big(i + \tfrac12\big)\frac{h}{H} - "
        r"\tfrac12\,, \quad v = \big(j + \tfrac12\big)\frac{w}{W} - \tfrac12",
        outputs=("U",),
        cases=(
            Case(
                "three maps, one all zero; sizes without a whole factor",
                telling(fixtures.larger_maps, upsample, part_mistakes.UPSAMPLE),
            ),
            Case(
                "other sizes, and a single map",
                telling(fixtures.other_sizes, upsample, part_mistakes.UPSAMPLE),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "mean_kept",
                "Enlarged by whole factors, a map keeps its mean: every place gives away the same share.",
                fixtures.whole_factor_calls,
                fixtures.mean_kept,
            ),
            Law(
                "mirror",
                "The mirror image of a map gives the mirror image of U: no corner is preferred.",
                fixtures.mirrored_calls,
                fixtures.mirrored,
            ),
        ),
        misconceptions=part_mistakes.UPSAMPLE,
        hints=(
            "Where is the centre of pixel i, measured in places of the grid? PyTorch has a function that enlarges; "
            "which of its options says where the centres are?",
            "torch.nn.functional.interpolate enlarges [N C h w], so give the maps an axis of size 1 for C and take it "
            'away afterwards. Its default mode is "nearest"; you need "bilinear", with align_corners=False.',
            "1. with_axis = maps[:, None]\n"
            '2. larger = F.interpolate(with_axis, size=size, mode="bilinear", align_corners=False)\n'
            "3. return larger[:, 0]",
        ),
        minutes=8,
        difficulty=1,
        lines=1,
        showcase=fixtures.photo_map,
    ),
    Exercise(
        id="guided_grad_cam.combine",
        title="The product",
        reference=combine,
        formula=r"G_{ij} = R_{ij}\, U_{ij} \text{ in every colour}",
        outputs=("G",),
        cases=(
            Case(
                "three images of three colours, and a grey one",
                telling(fixtures.three_images, combine, part_mistakes.COMBINE),
            ),
            Case(
                "other sizes, and a single image",
                telling(fixtures.other_images, combine, part_mistakes.COMBINE),
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "constant_map",
                "Where U is 2.5 at every pixel, G is 2.5·R.",
                fixtures.constant_map_calls,
                fixtures.scaled_guided,
            ),
        ),
        misconceptions=part_mistakes.COMBINE,
        hints=(
            "R has an axis for the colours and U has none. Which axis of R does PyTorch line up with which axis of U?",
            "Broadcasting lines axes up from the right: [N C H W] with [N H W] puts N beside C. Give U an axis of size "
            "1 where R has its colours.",
            "return guided * maps[:, None]",
        ),
        minutes=4,
        difficulty=1,
        lines=1,
        showcase=fixtures.photo_factors,
    ),
    Exercise(
        id="guided_grad_cam.two_alphas",
        title="Why Grad-CAM needs clean gradients",
        reference=two_alphas,
        formula=r"x = W_1\, \mathrm{flat}(A), \quad y = W_2\, \mathrm{ReLU}(x), \quad R_d = (W_2)_{cd}; \qquad "
        r"\alpha_k = \frac1Z \sum_{ij} \sum_d [x_d > 0]\, R_d\, (W_1)_{d,kij}, \quad "
        r"\tilde\alpha_k = \frac1Z \sum_{ij} \sum_d [x_d > 0]\,[R_d > 0]\, R_d\, (W_1)_{d,kij}",
        outputs=("α", "α̃"),
        cases=(
            Case(
                "four images, one of them without activations, one nearly, and one alone; a 3 x 4 grid",
                telling(fixtures.one_head, two_alphas, alpha_mistakes.ALPHAS),
            ),
            Case(
                "other sizes",
                telling(fixtures.other_heads, two_alphas, alpha_mistakes.ALPHAS),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "adds_up_to_the_score",
                "Where every channel has one value a_k at all places, Z Σ_k α_k a_k = y^c: the clean weights share out "
                "the score.",
                fixtures.constant_channels_calls,
                fixtures.adds_up,
            ),
            Law(
                "for_minus_against",
                "α̃ of y^c minus α̃ of -y^c is α: the guided rule keeps one side of the balance.",
                fixtures.for_and_against_calls,
                fixtures.for_minus_against,
            ),
        ),
        misconceptions=alpha_mistakes.ALPHAS,
        hints=(
            "R at the ReLU is the row of W_2 of each image's class. What does the ReLU send on by each of the two "
            "rules, and what does W_1 make of it?",
            "activations.flatten(1) @ hidden.T gives x [N D]. What the ReLU sends on is [N D] too, and @ hidden takes "
            "it to the flat places of A. Fold it back with reshape(activations.shape), and take the mean of each "
            "channel.",
            "1. x = activations.flatten(1) @ hidden.T; R = output[targets]\n"
            "2. plain = R * (x > 0); guided = R * ((x > 0) & (R > 0))\n"
            "3. for each of the two: at_A = (sent @ hidden).reshape(activations.shape)\n"
            "4. alpha = at_A.mean(dim=(2, 3))\n"
            "5. return both, the plain one first",
        ),
        minutes=15,
        difficulty=2,
        lines=6,
    ),
    Exercise(
        id="guided_grad_cam.guided_grad_cam",
        title="The whole method",
        reference=guided_grad_cam,
        formula=r"G_{ij} = R_{ij}\, U_{ij}, \quad R \text{ by the guided rule}, \quad U \text{ enlarged from } L = "
        r"\mathrm{ReLU}\Big(\sum_k \alpha_k A^k\Big) \text{ by plain gradients}",
        outputs=("G",),
        cases=(
            Case(
                "ReLUs above the layer and in place, BatchNorm, a class that nothing speaks for, a network in use",
                telling(fixtures.relus_above_the_layer, guided_grad_cam, mistakes.METHOD),
            ),
            Case(
                "frozen weights, BatchNorm, a class that nothing speaks for, a network in use",
                telling(fixtures.other_networks, guided_grad_cam, mistakes.METHOD),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "guided_times_cam",
                "On a network that ends in GAP and one linear layer, G = R·U with U the enlarged ReLU(CAM)/Z.",
                fixtures.pooled_scene,
                fixtures.guided_times_cam,
            ),
            Law(
                "zero_where_nothing_speaks",
                "Where Σ_k α_k A^k is nowhere positive, G is 0 everywhere.",
                fixtures.nothing_for_the_class,
                fixtures.zero_everywhere,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                fixtures.batch_and_singles,
                fixtures.as_in_the_batch,
            ),
        ),
        misconceptions=mistakes.METHOD,
        hints=(
            "Two factors: which of them wants the guided rule, and which must not see it?",
            "Inside `with guided_relus(model):` every gradient is guided. Call grad_cam before it, image_gradient "
            "inside it. Then enlarge to images.shape[2:] and multiply.",
            "1. L = grad_cam(model, images, targets, layer)\n"
            "2. with guided_relus(model): R = image_gradient(model, images, targets)\n"
            "3. U = upsample(L, images.shape[2:])\n"
            "4. return combine(R, U)",
        ),
        minutes=10,
        difficulty=2,
        lines=5,
        builds_on=("guided_grad_cam.upsample", "guided_grad_cam.combine"),
        showcase=fixtures.photo,
    ),
)

QUESTIONS = (
    Question(
        id="guided_grad_cam.rule_at_the_end",
        text="By mistake, Grad-CAM at the layer features of efficientnet_lite0 is computed while the guided rule is "
        "active. After this layer come global average pooling and one linear layer. What happens to its map?",
        options={
            "a": Option(
                "Nothing: it is the same map.",
                "Yes: between this layer and the score there is no ReLU, so the rule has nothing to change. That is "
                "what makes this mistake hard to notice: with another network, or one block earlier, it shows.",
            ),
            "b": Option(
                "The channels with negative α_k drop out.",
                "α_k = w_k^c / Z keeps its sign: no ReLU stands between the layer and the score, where R could be "
                "clamped.",
            ),
            "c": Option(
                "It lights up in all four quarters.",
                "That happens one block earlier, where a ReLU lies between the layer and the score. Here none does.",
            ),
        },
        answer="a",
    ),
    Question(
        id="guided_grad_cam.opposite_score",
        text="We explain -y^c in place of y^c: the last step of the network changes the sign of the score of tripod. "
        "What does guided Grad-CAM of the camera photo show now?",
        options={
            "a": Option(
                "The same picture with all signs turned round.",
                "So it would be if both factors were linear in y^c. Neither is: the guided rule clamps R at every "
                "ReLU, and Grad-CAM ends in a ReLU.",
            ),
            "b": Option(
                "Zero everywhere: nothing can speak for the opposite of a score.",
                "What speaks against tripod speaks for its opposite: L of -y^c is ReLU(-Σ_k α_k A^k), positive where "
                "the sum was negative.",
            ),
            "c": Option(
                "Nearly the same lines as before, but in other places.",
                "Yes: R is nearly the same for y^c and -y^c (lesson 9), and L of -y^c is positive only where Σ_k α_k "
                "A^k was negative. The lines stay, and the place changes.",
            ),
            "d": Option(
                "The same picture: guided backpropagation does not notice the sign.",
                "That is so for R. Grad-CAM does notice: its ReLU now keeps the places that it cut off before.",
            ),
        },
        answer="c",
    ),
    Question(
        id="guided_grad_cam.scaled_first",
        text="Before the product, someone divides each image's U by its largest value. What happens to G?",
        options={
            "a": Option(
                "The lines inside the region become sharper.",
                "A factor moves no line. What is sharp in G comes from R.",
            ),
            "b": Option(
                "Each image's G is multiplied by one positive number: the picture stays, the comparison is lost.",
                "Yes: 1/max U is the same for all pixels of an image. The weak map of a class that is not there now "
                "looks as strong as any other. So the checks compare raw values.",
            ),
            "c": Option(
                "Nothing: the values are the same.",
                "They are divided by max U, which differs from image to image and from class to class.",
            ),
            "d": Option(
                "The zeros of U no longer cut anything off.",
                "0 divided by the maximum is 0. They would no longer cut if U were shifted, not scaled.",
            ),
        },
        answer="b",
    ),
)

LESSON = Lesson(
    id="12_guided_grad_cam",
    title="Guided Grad-CAM",
    summary="Multiply the fine lines of guided backpropagation by the Grad-CAM map, and find out which says what.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

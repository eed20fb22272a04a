"""Lesson 11, Grad-CAM: from the gradient of a score to a map of where the network looks for a class."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import cnnviz
from autograder.exercises import grad_cam_fixtures as fixtures
from autograder.exercises import grad_cam_misconceptions as mistakes
from autograder.exercises import grad_cam_part_misconceptions as part_mistakes
from autograder.records import Call, Case, Exercise, Law, Lesson, Option, Question
from cnnviz_ref.grad_cam import activations_and_gradients, grad_cam

# References: the parts of the method, under the names that the student's functions have.


def capture(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """A and ∂y^c/∂A, both [N K h w]."""
    return activations_and_gradients(model, images, targets, layer)


def neuron_importance(gradients: Tensor) -> Tensor:
    """α [N K]: the mean of ∂y^c/∂A over the grid."""
    return gradients.mean(dim=(2, 3))


def grad_cam_map(activations: Tensor, alpha: Tensor) -> Tensor:
    """L [N h w]: ReLU(Σ_k α_k A^k)."""
    return part_mistakes.weighted_sum(activations, alpha).relu()


def quadrant_shares(maps: Tensor, quadrants: Tensor) -> Tensor:
    """Energy of map n in box q over the energy of map n [N Q]; 0 where a map is 0 everywhere."""
    inside = torch.stack([maps[:, t:b, l:r].sum(dim=(1, 2)) for t, l, b, r in quadrants.tolist()], dim=1)
    whole = maps.sum(dim=(1, 2))
    return inside / torch.where(whole > 0, whole, torch.ones_like(whole))[:, None]


# Showcases


def _photo_call() -> Call:
    images = cnnviz.preprocess(cnnviz.photo("camera"))
    targets = torch.tensor([cnnviz.class_index("tripod")])
    return Call(
        {
            "model": cnnviz.efficientnet_lite0().requires_grad_(False),
            "images": images,
            "targets": targets,
            "layer": "features",
        },
    )


def _photo_layers() -> Call:
    activations, alpha = fixtures.with_alpha(*fixtures.arguments(_photo_call()))
    return Call({"activations": activations, "alpha": alpha})


MODEL_CASES = (
    Case("an in-place ReLU after the layer, names that hold each other, a network in use", fixtures.in_place),
    Case("no average pooling, frozen weights, functional ReLUs", fixtures.no_pooling),
    Case("other networks, with BatchNorm and dropout", fixtures.normalised_layers, hidden=True, points=2),
)

EXERCISES = (
    Exercise(
        id="grad_cam.capture",
        title="Activations and their gradients",
        reference=capture,
        formula=r"A^k_{ij} \quad\text{and}\quad \frac{\partial y^c}{\partial A^k_{ij}}",
        outputs=("A", "∂y^c/∂A"),
        cases=MODEL_CASES,
        laws=(
            Law(
                "head_on_A_gives_y",
                "A is the layer's output as the rest of the network sees it: head(pool(A)) = y.",
                fixtures.pooled_scene,
                fixtures.scores_again,
            ),
            Law(
                "gradient_is_w_over_Z",
                "Where GAP and one linear layer follow, ∂y^c/∂A^k_ij = w_k^c / Z at every place i, j.",
                fixtures.pooled_scene,
                fixtures.spread_weights,
            ),
        ),
        special={"also where a ReLU after it works in place": "overwritten", "not even where the network raises": ""},
        misconceptions=mistakes.CAPTURE,
        hints=(
            "The layer runs in the middle of the forward pass. How can you get hold of what it puts out, and how "
            "can you make autograd treat exactly that tensor as the variable, even if all weights are frozen?",
            "A forward hook may return a tensor, and the network then goes on with that tensor. Make a new start "
            "of the graph with detach().requires_grad_(), keep it, and let the network go on with a clone of it. "
            "torch.autograd.grad differentiates with respect to any tensor and fills no .grad.",
            "1. hook(module, inputs, output): A = output.detach().clone().requires_grad_(); keep A; return "
            "A.clone()\n"
            "2. handle = model.get_submodule(layer).register_forward_hook(hook)\n"
            "3. try: scores = model(images); finally: handle.remove()\n"
            "4. y = scores[arange(N), targets]\n"
            "5. gradients = torch.autograd.grad(y.sum(), A)[0]\n"
            "6. return A.detach(), gradients",
        ),
        minutes=20,
        difficulty=3,
        lines=12,
    ),
    Exercise(
        id="grad_cam.neuron_importance",
        title="Importance of a channel",
        reference=neuron_importance,
        formula=r"\alpha_k^c = \frac{1}{Z} \sum_i \sum_j \frac{\partial y^c}{\partial A^k_{ij}}",
        outputs=("α",),
        cases=(
            Case("three images, five channels, a 4 x 6 grid", lambda g: [fixtures.gradients(g, 3, 5, 4, 6)]),
            Case("other sizes, and a channel that is not used", fixtures.one_unused_channel, hidden=True),
        ),
        laws=(
            Law(
                "constant_gradient",
                "Where the gradient of channel k is the same number at every place, α_k is that number.",
                fixtures.constant_calls,
                fixtures.constant,
            ),
            Law(
                "linear",
                "A mean is linear: α of G - 2·G' is α of G minus twice α of G'.",
                fixtures.additive_calls,
                fixtures.additive,
            ),
        ),
        misconceptions=part_mistakes.IMPORTANCE,
        hints=(
            "gradients has four axes: image, channel, row, column. Which of them does α_k still have?",
            "Σ_i Σ_j runs over rows and columns, and 1/Z turns the sum into a mean. Tensor.mean takes several "
            "axes at once.",
            "return gradients.mean(dim=(the row axis, the column axis))",
        ),
        minutes=5,
        difficulty=1,
        lines=1,
    ),
    Exercise(
        id="grad_cam.grad_cam_map",
        title="The map",
        reference=grad_cam_map,
        formula=r"L^c_{ij} = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A^k_{ij}\Big)",
        outputs=("L",),
        cases=(
            Case(
                "three images, one with nothing for the class; and one alone",
                lambda g: [fixtures.weighted_layers(g, 3, 5, 4, 6), fixtures.weighted_layers(g, 1, 4, 3, 5)],
            ),
            Case(
                "other sizes, and a single image",
                lambda g: [fixtures.weighted_layers(g, 3, 4, 7, 3), fixtures.weighted_layers(g, 1, 6, 3, 5)],
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "for_minus_against",
                "The map of α minus the map of -α is Σ_k α_k A^k: ReLU(s) - ReLU(-s) = s.",
                fixtures.both_halves_calls,
                fixtures.both_halves,
            ),
        ),
        misconceptions=part_mistakes.MAP,
        hints=(
            "At one place (i, j), what is multiplied with what, and over which axis is it added up?",
            "Give alpha two axes of size 1, so that it lines up with [N K h w]; or write the sum with "
            "torch.einsum. The ReLU comes last.",
            "1. weighted = alpha[:, :, None, None] * activations\n"
            "2. summed = weighted.sum(over k)\n"
            "3. return summed.relu()",
        ),
        minutes=8,
        difficulty=1,
        lines=2,
        showcase=_photo_layers,
    ),
    Exercise(
        id="grad_cam.grad_cam",
        title="The whole method",
        reference=grad_cam,
        formula=r"L^c = \mathrm{ReLU}\Big(\sum_k \alpha_k^c A^k\Big), \quad "
        r"\alpha_k^c = \frac{1}{Z} \sum_{ij} \frac{\partial y^c}{\partial A^k_{ij}}",
        outputs=("L",),
        cases=MODEL_CASES,
        laws=(
            Law(
                "equals_relu_cam_over_Z",
                "On a network that ends in GAP and one linear layer, Grad-CAM = ReLU(CAM)/Z.",
                fixtures.pooled_scene,
                fixtures.equals_relu_cam,
                points=2,
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
            "You have all the parts. In which order does the formula use them, read from the inside to the outside?",
            "capture gives A and ∂y^c/∂A, neuron_importance makes α of the second, grad_cam_map puts both together.",
            "1. A, dA = capture(model, images, targets, layer)\n"
            "2. alpha = neuron_importance(dA)\n3. return grad_cam_map(A, alpha)",
        ),
        minutes=5,
        difficulty=1,
        lines=3,
        builds_on=("grad_cam.capture", "grad_cam.neuron_importance", "grad_cam.grad_cam_map"),
        showcase=_photo_call,
    ),
    Exercise(
        id="grad_cam.quadrant_shares",
        title="How much of a map lies in a box",
        reference=quadrant_shares,
        formula=r"s_{nq} = \frac{\sum_{(i,j) \in \text{box } q} L_n(i, j)}{\sum_{i,j} L_n(i, j)}"
        r"\,, \quad s_{nq} = 0 \text{ where } L_n = 0",
        outputs=("s",),
        cases=(
            Case("three maps, one of them all zero, four boxes", fixtures.quadrants),
            Case("other sizes and boxes", fixtures.other_boxes, hidden=True),
        ),
        laws=(
            Law(
                "shares_of_a_tiling",
                "Shares of boxes that cover the map once sum to 1, and a brighter map has the same shares.",
                fixtures.tiling_calls,
                fixtures.shared_out,
            ),
        ),
        special={"bottom and right are exclusive": "last_included"},
        misconceptions=part_mistakes.SHARES,
        hints=(
            "What is the energy of a whole map, and what is its energy inside one box? What happens to the "
            "quotient if the map is 0 everywhere?",
            "A box is a slice: maps[:, top:bottom, left:right]. Sum over rows and columns, once for each box, and "
            "stack the results to [N Q]. Put a 1 in place of a total of 0 before you divide.",
            "1. for top, left, bottom, right in quadrants.tolist(): inside.append(maps[:, top:bottom, "
            "left:right].sum((1, 2)))\n"
            "2. inside = torch.stack(inside, dim=1)\n"
            "3. total = maps.sum((1, 2)); total = torch.where(total > 0, total, 1.0)\n"
            "4. return inside / total[:, None]",
        ),
        minutes=12,
        difficulty=2,
        lines=5,
    ),
)

QUESTIONS = (
    Question(
        id="grad_cam.sum_or_mean",
        text="Someone sums the gradients over i, j instead of averaging them: α is then Z = 49 times too large on "
        "the 7 x 7 grid. What happens to the map of the camera photo?",
        options={
            "a": Option(
                "Every value is 49 times larger. The picture looks the same.",
                "Yes: ReLU(49·s) = 49·ReLU(s), and a picture is scaled by its maximum before it is coloured. So a "
                "picture cannot show this mistake, and the checks compare raw values.",
            ),
            "b": Option(
                "The picture changes: channels with large gradients now win over the others.",
                "All α_k grow by the same factor 49, so their proportions stay, and so does the shape of the map.",
            ),
            "c": Option(
                "Nothing changes at all, not even the values.",
                "The picture does not change, because it is scaled by its maximum. The values do: the sum is Z "
                "times the mean.",
            ),
            "d": Option(
                "The map becomes smaller: the ReLU cuts more away.",
                "A factor does not change a sign. What was positive stays positive, and the ReLU cuts off the "
                "same places.",
            ),
        },
        answer="a",
    ),
    Question(
        id="grad_cam.bias_raised",
        text="We add 10 to the bias of the class tripod in the last linear layer, so that y^c rises by 10 for "
        "every image. What happens to the Grad-CAM map of tripod?",
        options={
            "a": Option(
                "It gets brighter everywhere by the same amount.",
                "That would be so if the score itself were spread over the map. Grad-CAM uses the score's "
                "derivative, and a constant has none.",
            ),
            "b": Option(
                "It stays exactly as it was.",
                "Yes: ∂y^c/∂A does not contain the bias, and A lies before it. What the bias adds to the score is "
                "in no map.",
            ),
            "c": Option(
                "It gets darker, because the class is now certain and the gradient fades.",
                "That happens to the gradient of the probability, which saturates. y^c is the score before the "
                "softmax.",
            ),
        },
        answer="b",
    ),
    Question(
        id="grad_cam.absent_class",
        text="The photo chelsea shows a cat and no rocket. We ask for the map of the class missile. What does "
        "Grad-CAM return?",
        options={
            "a": Option(
                "Zeros everywhere: there is nothing to find.",
                "L is 0 only where Σ_k α_k A^k is nowhere positive. Some channels nearly always speak a little "
                "for a class, and the ReLU keeps them.",
            ),
            "b": Option(
                "The map of the cat, because that is what the network recognised.",
                "The map belongs to the class you ask about: α comes from that class's score. No argmax is hidden "
                "inside.",
            ),
            "c": Option(
                "A map that still has positive places.",
                "Yes. A map says where the evidence for a class comes from, however weak. Whether the class is "
                "there, it does not say: scaled to its own maximum, a weak map looks as sure as a strong one.",
            ),
            "d": Option(
                "An error: the class must be among the best five.",
                "Every class has a score, and every score has a gradient. Any class can be asked about.",
            ),
        },
        answer="c",
    ),
)

LESSON = Lesson(
    id="11_grad_cam",
    title="Grad-CAM",
    summary="Average a class's gradient over each feature map, weigh the maps with it, keep what speaks for the class.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)

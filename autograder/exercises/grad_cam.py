"""Lesson 11, Grad-CAM: from the gradient of a score to a map of where the network looks for a class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

import cnnviz
from autograder.exercises import grad_cam_misconceptions as mistakes
from autograder.records import Arrays, Call, Case, Exercise, Law, Lesson, Option, Question
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet
from cnnviz_ref.cam import cam
from cnnviz_ref.grad_cam import activations_and_gradients, grad_cam

SIZE = (12, 8)
CLASSES = 5


# References: the parts of the method, under the names that the student's functions have.


def capture(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """A and ∂y^c/∂A, both [N K h w]."""
    return activations_and_gradients(model, images, targets, layer)


def neuron_importance(gradients: Tensor) -> Tensor:
    """α [N K]: the mean of ∂y^c/∂A over the grid."""
    return gradients.mean(dim=(2, 3))


def grad_cam_map(activations: Tensor, alpha: Tensor) -> Tensor:
    """L [N h w]: ReLU(Σ_k α_k A^k)."""
    return mistakes.weighted_sum(activations, alpha).relu()


def quadrant_shares(maps: Tensor, quadrants: Tensor) -> Tensor:
    """Energy of map n in box q over the energy of map n [N Q]; 0 where a map is 0 everywhere."""
    inside = torch.stack([maps[:, t:b, l:r].sum(dim=(1, 2)) for t, l, b, r in quadrants.tolist()], dim=1)
    whole = maps.sum(dim=(1, 2))
    return inside / torch.where(whole > 0, whole, torch.ones_like(whole))[:, None]


# Inputs: small float64 networks whose maps have both signs before the ReLU, and targets the network does not prefer.

Build = Callable[[Generator], nn.Module]


def _gap(**options) -> Build:
    return lambda generator: GapNet(channels=(4, 6), classes=CLASSES, generator=generator, **options)


def _flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=SIZE, channels=(4, 6), classes=CLASSES, generator=generator)


def _functional(generator: Generator) -> nn.Module:
    return FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=generator)


def _batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def _scene(generator: Generator, build: Build, layer: str, *, n: int = 3, frozen: bool = False) -> Call:
    """A network, n images, a target each; drawn again until every map has both signs before its ReLU."""
    for _ in range(200):
        net = build(generator).double()
        images = torch.randn(n, 3, *SIZE, generator=generator, dtype=torch.float64)
        order = torch.randperm(CLASSES, generator=generator)
        targets, preferred = order[:n], int(order[n])
        maps = mistakes.weighted_sum(*_with_alpha(net, images, targets, layer))
        if _both_signs(maps):
            _rescale(net, images, preferred, factor=0.02 / float(maps.abs().max()))
            net.requires_grad_(not frozen)
            return Call({"model": net, "images": images, "targets": targets, "layer": layer})
    raise RuntimeError(f"no fixture with both signs found for layer {layer!r}")


def _with_alpha(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    activations, gradients = activations_and_gradients(net, images, targets, layer)
    return activations, neuron_importance(gradients)


def _both_signs(maps: Tensor) -> bool:
    size = maps.abs().amax(dim=(1, 2))
    balanced = torch.minimum(maps.amax(dim=(1, 2)), -maps.amin(dim=(1, 2)))
    return bool((balanced > 0.2 * size.max()).all())


@torch.no_grad()
def _rescale(net: nn.Module, images: Tensor, preferred: int, *, factor: float) -> None:
    """Scores of moderate size, so that no probability saturates; one class, no target, that the network prefers."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    scores = net(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + 0.5


def _nothing_speaks_for_it(generator: Generator) -> Call:
    """A class whose every weight is negative: Σ_k α_k A^k is nowhere positive, and L is 0 everywhere."""
    call = _scene(generator, _gap(), "features", n=1)
    with torch.no_grad():
        weight = call.inputs["model"].classifier.weight
        weight[call.inputs["targets"]] = -weight[call.inputs["targets"]].abs() - 0.1 * weight.abs().max()
    return call


def _in_place(generator: Generator) -> list[Call]:
    return [
        _scene(generator, _gap(inplace=True), "features.0"),
        _nothing_speaks_for_it(generator),
    ]


def _no_pooling(generator: Generator) -> list[Call]:
    return [
        _scene(generator, _flatten, "features", frozen=True),
        _scene(generator, _functional, "features.conv2", n=1, frozen=True),
    ]


def _normalised_layers(generator: Generator) -> list[Call]:
    return [
        _scene(generator, _batch_norm, "features.4"),
        _scene(generator, _functional, "features.conv2", frozen=True),
        _nothing_speaks_for_it(generator),
    ]


def _pooled_scene(generator: Generator) -> list[Call]:
    return [_scene(generator, _gap(stride=2), "features")]


def _batch_and_singles(generator: Generator) -> list[Call]:
    batch = _scene(generator, _flatten, "features.3")
    images, targets = batch.inputs["images"], batch.inputs["targets"]
    return [batch] + [
        Call({**batch.inputs, "images": images[[n]], "targets": targets[[n]]}) for n in range(len(images))
    ]


MODEL_CASES = (
    Case("three images, and an in-place ReLU after the layer", _in_place),
    Case("no average pooling, frozen weights, functional ReLUs", _no_pooling),
    Case("other networks, with BatchNorm and dropout", _normalised_layers, hidden=True, points=2),
)


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _signs(generator: Generator, *shape: int) -> Tensor:
    """+1 and -1 in turn along the last axis, the first at random."""
    turns = torch.where(torch.arange(shape[-1]) % 2 == 0, 1.0, -1.0).to(torch.float64)
    first = torch.randint(0, 2, (*shape[:-1], 1), generator=generator) * 2 - 1
    return turns * first


def _gradients(generator: Generator, n: int, k: int, h: int, w: int) -> Call:
    mean = _signs(generator, n, k) * (0.3 + torch.rand(n, k, generator=generator, dtype=torch.float64))
    return Call({"gradients": mean[..., None, None] + _randn(generator, n, k, h, w)})


def _one_unused_channel(generator: Generator) -> list[Call]:
    call = _gradients(generator, 3, 4, 3, 7)
    call.inputs["gradients"][1, 2] = 0.0
    return [call, _gradients(generator, 1, 6, 5, 3)]


def _weighted_layers(generator: Generator, n: int, k: int, h: int, w: int) -> Call:
    """n maps with both signs before the ReLU and a maximum over 1; the last of several is nowhere positive."""
    for _ in range(200):
        activations = _randn(generator, n, k, h, w)
        alpha = _signs(generator, n, k) * (0.5 + torch.rand(n, k, generator=generator, dtype=torch.float64))
        sums = mistakes.weighted_sum(activations, alpha)
        if _both_signs(sums) and bool((sums.amax(dim=(1, 2)) > 2).all()):
            break
    if n > 1:
        activations[-1], alpha[-1] = activations[-1].abs(), -alpha[-1].abs()
    return Call({"activations": activations, "alpha": alpha})


def _energies(generator: Generator, n: int, size: tuple[int, int], boxes: Sequence[Sequence[int]]) -> Call:
    """Non-negative maps with long tails, a good part of them 0; the last of several is 0 everywhere."""
    noise = _randn(generator, n, *size)
    maps = noise.relu() * noise.square()
    if n > 1:
        maps[-1] = 0.0
    return Call({"maps": maps, "quadrants": torch.tensor(boxes)})


def _margin_boxes(generator: Generator, h: int, w: int) -> list[list[int]]:
    """Four boxes round a random centre that leave a margin uncovered."""
    row = int(torch.randint(3, h - 3, (), generator=generator))
    column = int(torch.randint(3, min(h, w) - 3, (), generator=generator))
    return [[1, 0, row, column], [0, column, row, w - 2], [row, 1, h - 1, column], [row, column, h, w - 1]]


def _quadrants(generator: Generator) -> list[Call]:
    return [_energies(generator, 3, (10, 14), _margin_boxes(generator, 10, 14))]


def _other_boxes(generator: Generator) -> list[Call]:
    two, four = _margin_boxes(generator, 13, 9)[1:3], _margin_boxes(generator, 9, 12)
    return [_energies(generator, 3, (13, 9), two), _energies(generator, 1, (9, 12), four)]


# Laws


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy()


def _arguments(call: Call) -> tuple:
    return tuple(call.inputs[name] for name in ("model", "images", "targets", "layer"))


def _spread_weights(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """∂y^c/∂A^k_ij = w_k^c / Z at every place of a GAP + linear network."""
    model, _, targets, _ = _arguments(calls[0])
    gradients = results[0][1]
    w = _array(model.classifier.weight[targets])
    return _relative(gradients, np.broadcast_to(w[..., None, None] / gradients[0, 0].size, gradients.shape))


def _scores_again(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The rest of the network, run on A, gives the scores."""
    model, images, _, _ = _arguments(calls[0])
    activations = torch.as_tensor(results[0][0]).to(images)
    with torch.no_grad():
        again = model.classifier(model.pool(activations).flatten(1))
        return _relative(_array(again), _array(model(images)))


def _equals_relu_cam(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    maps = results[0][0]
    return _relative(maps, _array(cam(*_arguments(calls[0])).relu()) / maps[0].size)


def _as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return _relative(np.concatenate([alone[0] for alone in results[1:]]), results[0][0])


def _additive_calls(generator: Generator) -> list[Call]:
    one, two = (_gradients(generator, 2, 5, 3, 4).inputs["gradients"] for _ in range(2))
    return [Call({"gradients": gradients}) for gradients in (one, two, one - 2 * two)]


def _additive(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    one, two, both = (result[0] for result in results)
    return _relative(both, one - 2 * two)


def _constant_calls(generator: Generator) -> list[Call]:
    return [Call({"gradients": _randn(generator, 2, 5, 1, 1).expand(2, 5, 3, 4).clone()})]


def _constant(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return _relative(results[0][0], _array(calls[0].inputs["gradients"][:, :, 0, 0]))


def _both_halves_calls(generator: Generator) -> list[Call]:
    call = _weighted_layers(generator, 2, 5, 4, 3)
    return [call, Call({**call.inputs, "alpha": -call.inputs["alpha"]})]


def _both_halves(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """ReLU(s) - ReLU(-s) = s."""
    sums = mistakes.weighted_sum(calls[0].inputs["activations"], calls[0].inputs["alpha"])
    return _relative(results[0][0] - results[1][0], _array(sums))


def _tiling_calls(generator: Generator) -> list[Call]:
    maps = _energies(generator, 2, (8, 6), [[0, 0, 1, 1]]).inputs["maps"][:1]
    tiles = torch.tensor([[0, 0, 3, 2], [0, 2, 3, 6], [3, 0, 8, 2], [3, 2, 8, 6]])
    return [Call({"maps": scale * maps, "quadrants": tiles}) for scale in (1.0, 7.0)]


def _shared_out(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    one, larger = (result[0] for result in results)
    return max(_relative(one.sum(1), np.ones(len(one))), _relative(larger, one))


# Showcases


def _photo_call() -> Call:
    images = cnnviz.preprocess(cnnviz.photo("camera"))
    targets = torch.tensor([cnnviz.class_index("tripod")])
    return Call(
        {"model": cnnviz.efficientnet_lite0(), "images": images, "targets": targets, "layer": "features"},
    )


def _photo_layers() -> Call:
    activations, alpha = _with_alpha(*_arguments(_photo_call()))
    return Call({"activations": activations, "alpha": alpha})


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
                _pooled_scene,
                _scores_again,
            ),
            Law(
                "gradient_is_w_over_Z",
                "Where GAP and one linear layer follow, ∂y^c/∂A^k_ij = w_k^c / Z at every place i, j.",
                _pooled_scene,
                _spread_weights,
            ),
        ),
        misconceptions=mistakes.CAPTURE,
        hints=(
            "The layer runs in the middle of the forward pass. How can you get hold of what it puts out, and how can you make "
            "autograd treat exactly that tensor as the variable, even if all weights are frozen?",
            "A forward hook may return a tensor, and the network then goes on with that tensor. Make a new start of the graph "
            "with detach().requires_grad_(), keep it, and let the network go on with a clone of it. torch.autograd.grad "
            "differentiates with respect to any tensor and fills no .grad.",
            "1. hook(module, inputs, output): A = output.detach().clone().requires_grad_(); keep A; return A.clone()\n"
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
            Case("three images, five channels, a 4 x 6 grid", lambda g: [_gradients(g, 3, 5, 4, 6)]),
            Case("other sizes, and a channel that is not used", _one_unused_channel, hidden=True),
        ),
        laws=(
            Law(
                "constant_gradient",
                "Where the gradient of channel k is the same number at every place, α_k is that number.",
                _constant_calls,
                _constant,
            ),
            Law(
                "linear",
                "A mean is linear: α of G - 2·G' is α of G minus twice α of G'.",
                _additive_calls,
                _additive,
            ),
        ),
        misconceptions=mistakes.IMPORTANCE,
        hints=(
            "gradients has four axes: image, channel, row, column. Which of them does α_k still have?",
            "Σ_i Σ_j runs over rows and columns, and 1/Z turns the sum into a mean. Tensor.mean takes several axes at once.",
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
            Case("three images, one with nothing for the class", lambda g: [_weighted_layers(g, 3, 5, 4, 6)]),
            Case(
                "other sizes, and a single image",
                lambda g: [_weighted_layers(g, 3, 4, 7, 3), _weighted_layers(g, 1, 6, 3, 5)],
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "for_minus_against",
                "The map of α minus the map of -α is Σ_k α_k A^k: ReLU(s) - ReLU(-s) = s.",
                _both_halves_calls,
                _both_halves,
            ),
        ),
        misconceptions=mistakes.MAP,
        hints=(
            "At one place (i, j), what is multiplied with what, and over which axis is it added up?",
            "Give alpha two axes of size 1, so that it lines up with [N K h w]; or write the sum with torch.einsum. The ReLU "
            "comes last.",
            "1. weighted = alpha[:, :, None, None] * activations\n2. summed = weighted.sum(over k)\n3. return summed.relu()",
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
                _pooled_scene,
                _equals_relu_cam,
                points=2,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                _batch_and_singles,
                _as_in_the_batch,
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
            Case("three maps, one of them all zero, four boxes", _quadrants),
            Case("other sizes and boxes", _other_boxes, hidden=True),
        ),
        laws=(
            Law(
                "shares_of_a_tiling",
                "Shares of boxes that cover the map once sum to 1, and a brighter map has the same shares.",
                _tiling_calls,
                _shared_out,
            ),
        ),
        misconceptions=mistakes.SHARES,
        hints=(
            "What is the energy of a whole map, and what is its energy inside one box? What happens to the quotient if the map "
            "is 0 everywhere?",
            "A box is a slice: maps[:, top:bottom, left:right]. Sum over rows and columns, once for each box, and stack the "
            "results to [N Q]. Put a 1 in place of a total of 0 before you divide.",
            "1. for top, left, bottom, right in quadrants.tolist(): inside.append(maps[:, top:bottom, left:right].sum((1, 2)))\n"
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
        text="Someone sums the gradients over i, j instead of averaging them: α is then Z = 49 times too large on the 7 x 7 grid. "
        "What happens to the map of the camera photo?",
        options={
            "a": Option(
                "Every value is 49 times larger. The picture looks the same.",
                "Yes: ReLU(49·s) = 49·ReLU(s), and a picture is scaled by its maximum before it is coloured. So a picture "
                "cannot show this mistake, and the checks compare raw values.",
            ),
            "b": Option(
                "The picture changes: channels with large gradients now win over the others.",
                "All α_k grow by the same factor 49, so their proportions stay, and so does the shape of the map.",
            ),
            "c": Option(
                "Nothing changes at all, not even the values.",
                "The picture does not change, because it is scaled by its maximum. The values do: the sum is Z times the mean.",
            ),
            "d": Option(
                "The map becomes smaller: the ReLU cuts more away.",
                "A factor does not change a sign. What was positive stays positive, and the ReLU cuts off the same places.",
            ),
        },
        answer="a",
    ),
    Question(
        id="grad_cam.bias_raised",
        text="We add 10 to the bias of the class tripod in the last linear layer, so that y^c rises by 10 for every image. What "
        "happens to the Grad-CAM map of tripod?",
        options={
            "a": Option(
                "It gets brighter everywhere by the same amount.",
                "That would be so if the score itself were spread over the map. Grad-CAM uses the score's derivative, and a "
                "constant has none.",
            ),
            "b": Option(
                "It stays exactly as it was.",
                "Yes: ∂y^c/∂A does not contain the bias, and A lies before it. What the bias adds to the score is in no map.",
            ),
            "c": Option(
                "It gets darker, because the class is now certain and the gradient fades.",
                "That happens to the gradient of the probability, which saturates. y^c is the score before the softmax.",
            ),
        },
        answer="b",
    ),
    Question(
        id="grad_cam.absent_class",
        text="The photo chelsea shows a cat and no rocket. We ask for the map of the class missile. What does Grad-CAM return?",
        options={
            "a": Option(
                "Zeros everywhere: there is nothing to find.",
                "L is 0 only where Σ_k α_k A^k is nowhere positive. Some channels nearly always speak a little for a class, "
                "and the ReLU keeps them.",
            ),
            "b": Option(
                "The map of the cat, because that is what the network recognised.",
                "The map belongs to the class you ask about: α comes from that class's score. No argmax is hidden inside.",
            ),
            "c": Option(
                "A map that still has positive places.",
                "Yes. A map says where the evidence for a class comes from, however weak. Whether the class is there, it does "
                "not say: scaled to its own maximum, a weak map looks as sure as a strong one.",
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

"""Inputs and laws of Grad-CAM: small float64 networks whose maps have both signs, and targets they do not prefer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import (
    array,
    as_in_the_batch,
    batch_and_singles,
    mixed_order,
    moderate_scores,
    randn,
    redrawn,
    relative,
    signs,
    weights_against,
)
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, NamesakeNet, calm
from cnnviz_ref.cam import cam
from cnnviz_ref.grad_cam import activations_and_gradients, grad_cam

SIZE, CLASSES = (12, 8), 5
NETS: dict[str, Callable[[Generator], nn.Module]] = {
    "overwritten": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g, inplace=True),
    "pooled": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g, stride=2),
    "gap": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g),
    "flatten": lambda g: FlattenNet(size=SIZE, channels=(4, 6), classes=CLASSES, generator=g),
    "functional": lambda g: FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=g),
    "batch_norm": lambda g: BatchNormNet(channels=(4, 6), classes=CLASSES, generator=g),
    "namesakes": lambda g: NamesakeNet(width=6, classes=CLASSES, generator=g),
    "busy": lambda g: BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=g),
}


@calm()
def scene(generator: Generator, net: str, layer: str, n: int = 3, *, frozen: bool = False) -> Call:
    """A network, n images, a target each."""
    model, images, order, largest = redrawn(lambda: drawing(generator, net, layer, n), lambda drawn: drawn[-1] > 0)
    moderate_scores(model, images, int(order[n]), factor=0.02 / largest)
    inputs = {"model": model.requires_grad_(not frozen), "images": images, "targets": order[:n], "layer": layer}
    return Call(inputs)


def drawing(generator: Generator, net: str, layer: str, n: int) -> tuple[nn.Module, Tensor, Tensor, float]:
    """A network, images, all classes in an order, and the largest |Σ_k α_k A^k|."""
    model = NETS[net](generator).double()
    images = randn(generator, n, 3, *SIZE)
    order = mixed_order(generator, CLASSES, n)
    A, dA = activations_and_gradients(model, images, order[:n], layer)
    return model, images, order, float(torch.einsum("nk,nkij->nij", dA.mean((2, 3)), A).abs().max())


def nothing_speaks_for_it(generator: Generator) -> Call:
    """A class whose every weight is negative: Σ_k α_k A^k is nowhere positive, and L is 0 everywhere."""
    return weights_against(scene(generator, "gap", "features", 1))


def awkward(generator: Generator) -> list[Call]:
    """A layer whose name is part of others; a network in use, whose forward pass fails before the next; dropout."""
    return [
        scene(generator, "namesakes", "conv1", 2),
        scene(generator, "busy", "features.2", 1),
        scene(generator, "batch_norm", "features.4", 2),
    ]


def in_place(generator: Generator) -> list[Call]:
    return [scene(generator, "overwritten", "features.0"), nothing_speaks_for_it(generator), *awkward(generator)]


def no_pooling(generator: Generator) -> list[Call]:
    return [
        scene(generator, "flatten", "features", frozen=True),
        scene(generator, "functional", "features.conv2", 1, frozen=True),
        *awkward(generator),
    ]


def normalised_layers(generator: Generator) -> list[Call]:
    return [
        scene(generator, "functional", "features.conv2", frozen=True),
        nothing_speaks_for_it(generator),
        *awkward(generator),
    ]


MODEL_CASES = (
    Case("an in-place ReLU after the layer, names that hold each other, a network in use", in_place),
    Case("no average pooling, frozen weights, functional ReLUs", no_pooling),
    Case("other networks, with BatchNorm and dropout", normalised_layers, hidden=True, points=2),
)


def pooled_scene(generator: Generator) -> list[Call]:
    """A network that ends in GAP and one linear layer, explained at the layer that is pooled."""
    return [scene(generator, "pooled", "features")]


def scores_again(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    model, images = calls[0].inputs["model"], calls[0].inputs["images"]
    activations = torch.as_tensor(results[0][0]).to(images)
    with torch.no_grad():
        again = model.classifier(model.pool(activations).flatten(1))
        return relative(array(again), array(model(images)))


def spread_weights(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    gradients = results[0][1]
    w = array(calls[0].inputs["model"].classifier.weight[calls[0].inputs["targets"]])
    return relative(gradients, np.broadcast_to(w[..., None, None] / gradients[0, 0].size, gradients.shape))


def equals_relu_cam(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    maps = results[0][0]
    return relative(maps, array(cam(**calls[0].inputs)).clip(min=0) / maps[0].size)


def gradients(generator: Generator, n: int, k: int, h: int, w: int) -> Call:
    """Gradients of both signs, one in five 0, whose means over the grid have both signs too."""
    mean = signs(generator, n, k) * (0.3 + torch.rand(n, k, generator=generator, dtype=torch.float64))
    gradient = mean[..., None, None] + randn(generator, n, k, h, w)
    return Call({"gradients": gradient * (torch.rand(n, k, h, w, generator=generator) < 0.8)})


def one_unused_channel(generator: Generator) -> list[Call]:
    call = gradients(generator, 3, 4, 3, 7)
    call.inputs["gradients"][1, 2] = 0.0
    return [call, gradients(generator, 1, 6, 5, 3)]


def constant_calls(generator: Generator) -> list[Call]:
    return [Call({"gradients": randn(generator, 2, 5, 1, 1).expand(2, 5, 3, 4).clone()})]


def constant(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[0][0], array(calls[0].inputs["gradients"][:, :, 0, 0]))


def additive_calls(generator: Generator) -> list[Call]:
    one, two = (gradients(generator, 2, 5, 3, 4).inputs["gradients"] for _ in range(2))
    return [Call({"gradients": each}) for each in (one, two, one - 2 * two)]


def additive(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    one, two, both = (result[0] for result in results)
    return relative(both, one - 2 * two)


def weighted_layers(generator: Generator, n: int, k: int, h: int, w: int) -> Call:
    """n maps with both signs before the ReLU; the last of several is nowhere positive."""
    activations = randn(generator, n, k, h, w)
    alpha = signs(generator, n, k) * (0.5 + torch.rand(n, k, generator=generator, dtype=torch.float64))
    alpha[0] *= 4
    if n > 1:
        activations[-1], alpha[-1] = activations[-1].abs(), -alpha[-1].abs()
    return Call({"activations": activations, "alpha": alpha})


def both_halves_calls(generator: Generator) -> list[Call]:
    call = weighted_layers(generator, 2, 5, 4, 3)
    return [call, Call({**call.inputs, "alpha": -call.inputs["alpha"]})]


def both_halves(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    sums = torch.einsum("nk,nkij->nij", calls[0].inputs["alpha"], calls[0].inputs["activations"])
    return relative(results[0][0] - results[1][0], array(sums))


def energies(generator: Generator, n: int, size: tuple[int, int], boxes: Sequence[Sequence[int]]) -> Call:
    """Non-negative maps with long tails, a good part 0; of several, the last is 0 everywhere and the first faint."""
    noise = randn(generator, n, *size)
    maps = noise.relu() * noise.square()
    if n > 1:
        maps[-1] = 0.0
        maps[0] *= 1e-9
    return Call({"maps": maps, "quadrants": torch.tensor(boxes)})


def margin_boxes(generator: Generator, h: int, w: int) -> list[list[int]]:
    """Four boxes round a random centre, never on the diagonal, that leave a margin uncovered."""
    row = int(torch.randint(3, h - 3, (), generator=generator))
    column = int(torch.randint(3, min(h, w) - 4, (), generator=generator))
    column += column >= row
    return [[1, 0, row, column], [0, column, row, w - 2], [row, 1, h - 1, column], [row, column, h, w - 1]]


def quadrants(generator: Generator) -> list[Call]:
    return [energies(generator, 3, (10, 14), margin_boxes(generator, 10, 14))]


def other_boxes(generator: Generator) -> list[Call]:
    two, four = margin_boxes(generator, 13, 9)[1:3], margin_boxes(generator, 9, 12)
    return [energies(generator, 3, (13, 9), two), energies(generator, 1, (9, 12), four)]


def tiling_calls(generator: Generator) -> list[Call]:
    """Four boxes that cover a map once; the same map, 7 times as bright."""
    maps = energies(generator, 2, (8, 6), [[0, 0, 1, 1]]).inputs["maps"][:1]
    tiles = torch.tensor([[0, 0, 3, 2], [0, 2, 3, 6], [3, 0, 8, 2], [3, 2, 8, 6]])
    return [Call({"maps": scale * maps, "quadrants": tiles}) for scale in (1.0, 7.0)]


def shared_out(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    one, larger = (result[0] for result in results)
    return max(relative(one.sum(1), np.ones(len(one))), relative(larger, one))


def photo() -> Call:
    return Call(
        {
            "model": cnnviz.efficientnet_lite0().requires_grad_(False),
            "images": cnnviz.preprocess(cnnviz.photo("camera")),
            "targets": torch.tensor([cnnviz.class_index("tripod")]),
            "layer": "features",
        },
    )


def photo_layers() -> Call:
    activations, dA = activations_and_gradients(**photo().inputs)
    return Call({"activations": activations, "alpha": dA.mean((2, 3))})


CHECKS = {
    "capture": Checks(
        cases=MODEL_CASES,
        laws=(
            Law(
                "head_on_A_gives_y",
                "A is the layer's output as the rest of the network sees it: head(pool(A)) = y.",
                pooled_scene,
                scores_again,
            ),
            Law(
                "gradient_is_w_over_Z",
                "Where GAP and one linear layer follow, ∂y^c/∂A^k_ij = w_k^c / Z at every place i, j.",
                pooled_scene,
                spread_weights,
            ),
        ),
    ),
    "neuron_importance": Checks(
        cases=(
            Case("three images, five channels, a 4 x 6 grid", lambda g: [gradients(g, 3, 5, 4, 6)]),
            Case("other sizes, and a channel that is not used", one_unused_channel, hidden=True),
        ),
        laws=(
            Law(
                "constant_gradient",
                "Where the gradient of channel k is the same number at every place, α_k is that number.",
                constant_calls,
                constant,
            ),
            Law("linear", "A mean is linear: α of G - 2·G' is α of G minus twice α of G'.", additive_calls, additive),
        ),
    ),
    "grad_cam_map": Checks(
        cases=(
            Case(
                "three images, one with nothing for the class; and one alone",
                lambda g: [weighted_layers(g, 3, 5, 4, 6), weighted_layers(g, 1, 4, 3, 5)],
            ),
            Case(
                "other sizes, and a single image",
                lambda g: [weighted_layers(g, 3, 4, 7, 3), weighted_layers(g, 1, 6, 3, 5)],
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "for_minus_against",
                "The map of α minus the map of -α is Σ_k α_k A^k: ReLU(s) - ReLU(-s) = s.",
                both_halves_calls,
                both_halves,
            ),
        ),
        showcase=photo_layers,
    ),
    "grad_cam": Checks(
        reference=grad_cam,
        cases=MODEL_CASES,
        laws=(
            Law(
                "equals_relu_cam_over_Z",
                "On a network that ends in GAP and one linear layer, Grad-CAM = ReLU(CAM)/Z.",
                pooled_scene,
                equals_relu_cam,
                points=2,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                lambda g: batch_and_singles(scene(g, "flatten", "features.3")),
                as_in_the_batch,
            ),
        ),
        showcase=photo,
    ),
    "quadrant_shares": Checks(
        cases=(
            Case("three maps, one of them all zero, four boxes", quadrants),
            Case("other sizes and boxes", other_boxes, hidden=True),
        ),
        laws=(
            Law(
                "shares_of_a_tiling",
                "Shares of boxes that cover the map once sum to 1, and a brighter map has the same shares.",
                tiling_calls,
                shared_out,
            ),
        ),
    ),
}

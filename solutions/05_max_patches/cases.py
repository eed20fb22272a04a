"""Inputs and laws of maximum patches: small chains, boxes, maps with equal maxima, networks of known chains."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import skip_init

from autograder.course.authored import Checks
from autograder.course.fixtures import array, between, mixed_order, randn, relative
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BusyNet, FlattenNet, GapNet, NamesakeNet
from cnnviz_ref import activations as layer_activations
from cnnviz_ref.max_patches import max_patches as find_max_patches

Chain = list[tuple[int, int, int, int]]


def max_patches(
    model: nn.Module, images: Tensor, layer: str, channel: int, chain: Chain, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """The whole method of the answer key, which finds the chain by itself."""
    found = find_max_patches(model, images, layer, channel, k=count)
    return found.pixels, found.scores, found.boxes


def whole(generator: Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def numbers(result: Arrays) -> np.ndarray:
    """The outputs of one call that returns plain numbers."""
    return np.array([float(each) for each in result])


ODD = ((3, 5), (2, 3), (1, 2), (1, 1))
DILATED = ((2, 4), (1, 1), (0, 0), (2, 2))
EVEN = ((2, 4), (2, 3), (1, 2), (1, 3))
"""Kernels, strides, paddings and dilations that a layer is drawn from; the middle of EVEN lies between two taps."""


def layers(generator: Generator, *kinds: Sequence[tuple[int, int]]) -> Chain:
    """One layer of each kind, with one of the two values in each place."""
    drawn = [[pair[whole(generator, 0, 1)] for pair in kind] for kind in kinds]
    return [(kernel, stride, padding, dilation) for kernel, stride, padding, dilation in drawn]


def chains(generator: Generator) -> list[Call]:
    drawn = layers(generator, ODD, DILATED, EVEN), layers(generator, EVEN), []
    return [Call({"chain": chain}) for chain in drawn]


def other_chains(generator: Generator) -> list[Call]:
    drawn = layers(generator, ODD, DILATED, EVEN), layers(generator, EVEN, DILATED), []
    return [Call({"chain": chain}) for chain in drawn]


def split_calls(generator: Generator) -> list[Call]:
    """A chain, its first part and its last part."""
    chain = layers(generator, ODD, DILATED, EVEN, ODD, EVEN)
    return [Call({"chain": part}) for part in (chain, chain[:2], chain[2:])]


def composes(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    both, (r, J, t), (r_above, J_above, t_above) = map(numbers, results)
    return relative(both, np.array([r + (r_above - 1) * J, J * J_above, t + t_above * J]))


def same_padding_calls(generator: Generator) -> list[Call]:
    """Odd kernels with a padding of (f − 1)·d/2."""
    drawn = layers(generator, ODD, DILATED, ODD, DILATED)
    return [Call({"chain": [(2 * n + 1, s, n * d, d) for n, s, _, d in drawn]})]


def stays_in_place(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    size, _, start = numbers(results[0])
    return abs(start) / size


UNITS = ((0, 4), (5, 0), (4, 3))
"""Boxes over the top, over the left and inside; their first rows and columns are odd and even ones."""


def field(generator: Generator, size: int) -> dict[str, Any]:
    """Size, odd jump and start of some layer whose unit 0 begins before the border."""
    before = whole(generator, 1, size // 2)
    return {"size": size, "jump": 3 + 2 * whole(generator, 0, 1), "start": (size - 1) / 2 - before}


def of_each_parity(size: int, jump: int) -> list[Call]:
    """First rows and columns below and above 0, even and odd, and 0: every way to round them shows; the jump is odd."""
    inputs = {"size": size, "jump": jump, "start": (size - 1) / 2 - 4 * jump}
    return [Call({"i": i, "j": j, **inputs}) for i, j in ((0, 5), (6, 1), (4, 3))]


def boxes(generator: Generator, *sizes: int) -> list[Call]:
    fields = [field(generator, size) for size in sizes]
    jump = 3 + 2 * whole(generator, 0, 1)
    calls = [Call({"i": i, "j": j, **drawn}) for drawn in fields for i, j in UNITS]
    return [*calls, *of_each_parity(11, jump), *of_each_parity(12, jump)]


def neighbour_calls(generator: Generator) -> list[Call]:
    """A unit, the one below it and the one to its right."""
    i, j = (whole(generator, 0, 4) for _ in range(2))
    drawn = field(generator, 7)
    return [Call({"i": i + down, "j": j + across, **drawn}) for down, across in ((0, 0), (1, 0), (0, 1))]


def moves_by_the_jump(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    here, below, right = map(numbers, results)
    J = calls[0].inputs["jump"]
    down, across = np.array([J, 0, J, 0]), np.array([0, J, 0, J])
    return max(relative(below, here + down), relative(right, here + across))


def seen_calls(generator: Generator) -> list[Call]:
    """Two units of one layer, one of them at the border."""
    drawn = field(generator, 6)
    return [Call({"i": i, "j": j, **drawn}) for i, j in ((0, 2), (3, 1))]


def holds_what_is_seen(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The share of the pixels of an image that are seen and not in the box, or the other way round."""
    wrong = 0.0
    for call, result in zip(calls, results, strict=True):
        seen = pixels_seen(40, 36, **call.inputs)
        top, left, bottom, right = numbers(result)
        rows, columns = (torch.arange(length) for length in seen.shape)
        inside = ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
        wrong = max(wrong, float((seen != inside).double().mean()))
    return wrong


def pixels_seen(H: int, W: int, *, i: int, j: int, size: int, jump: int, start: float) -> Tensor:
    """Where the unit of a layer whose kernel is the whole field has a gradient, bool [H W]."""
    image = torch.zeros(1, 1, H, W, dtype=torch.float64, requires_grad=True)
    kernel = torch.ones(1, 1, size, size, dtype=torch.float64)
    padding = int((size - 1) / 2 - start)
    unit = torch.nn.functional.conv2d(image, kernel, stride=jump, padding=padding)[0, 0, i, j]
    (gradient,) = torch.autograd.grad(unit, image)
    return gradient[0, 0] != 0


def maps(generator: Generator, size: tuple[int, int, int, int], count: int, heights: Sequence[float]) -> Call:
    """Maps of one channel with these maxima, in a mixed order of the images; the largest stands in three places."""
    N, K, h, w = size
    activations = randn(generator, *size).clamp(-1.5, 1.5)
    channel = whole(generator, 1, K - 2)
    activations[:, channel + 1] += 4.0  # another channel is stronger
    order = mixed_order(generator, N, N)
    for n, height in zip(order.tolist(), heights, strict=True):
        row = whole(generator, 1, h - 1)  # never on the diagonal, nor where the next line writes
        activations[n, channel, row, (row + whole(generator, 1, w - 1)) % w] = height
    activations[order[-1], channel, 0, 0] = -2 * heights[0]  # the largest number without its sign
    strongest = activations[order[0], channel]
    strongest.clamp_(max=1.5)
    strongest[0, w - 2] = strongest[h - 2, 0] = strongest[h - 1, w - 1] = heights[0]
    return Call({"activations": activations, "channel": channel, "count": count})


def all_negative(generator: Generator, n: int, *size: int) -> Call:
    """All of n images by a channel that is below zero everywhere; two nearly equal maxima, the larger one later."""
    maxima = -1 - torch.arange(n, dtype=torch.float64)
    maxima[[0, 1]] = torch.tensor([-1.00001, -1.0], dtype=torch.float64)
    spread = between(generator, 0, 1, n, 2, *size)
    below = spread.amax((2, 3), keepdim=True) - spread
    return Call({"activations": maxima[:, None, None, None] - below, "channel": 1, "count": n})


EQUAL_MAXIMA = (4.0, 3.5, 3.5, 3.0, 2.5, 2.0)


def ranked(generator: Generator) -> list[Call]:
    return [maps(generator, (6, 4, 3, 5), 4, EQUAL_MAXIMA), all_negative(generator, 3, 4, 3)]


def ranked_elsewhere(generator: Generator) -> list[Call]:
    six, four = maps(generator, (6, 3, 5, 4), 4, EQUAL_MAXIMA), maps(generator, (4, 4, 3, 6), 2, (5.0, 4.0, 4.0, 2.0))
    return [six, four, all_negative(generator, 3, 4, 3)]


def standing_calls(generator: Generator) -> list[Call]:
    return [maps(generator, (6, 4, 4, 5), 5, EQUAL_MAXIMA)]


def stands_at_its_place(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """How far A^k of image n at (i, j) is from its score, and that from the largest; 1 where an image comes twice."""
    scores, images, places = results[0]
    A = array(calls[0].inputs["activations"][:, calls[0].inputs["channel"]])
    outside = ((places < 0) | (places >= A.shape[1:])).any() or ((images < 0) | (images >= len(A))).any()
    if outside or len(set(images.tolist())) < len(images):
        return 1.0
    there = A[images, places[:, 0], places[:, 1]]
    return max(relative(scores, there), relative(scores, A[images].max((1, 2))))


def reordered_calls(generator: Generator) -> list[Call]:
    """Maps, and the same ones as 3·A − 1."""
    call = maps(generator, (6, 4, 4, 5), 4, EQUAL_MAXIMA)
    return [call, Call({**call.inputs, "activations": 3 * call.inputs["activations"] - 1})]


def follows_the_scale(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    (scores, images, places), (others, same_images, same_places) = results
    return max(relative(others, 3 * scores - 1), relative(same_images, images), relative(same_places, places))


def patches(generator: Generator, size: tuple[int, int, int, int], box: tuple[int, int]) -> Call:
    """Four boxes of one size: inside; over the top and the left; over the bottom and the right; over the left alone."""
    N, _, H, W = size
    tall, wide = box
    images = randn(generator, *size) + 0.5
    corners = [
        (whole(generator, 1, H - tall - 1), whole(generator, 1, W - wide - 1)),
        (whole(generator, 1 - tall, -1), whole(generator, 1 - wide, -1)),
        (whole(generator, H - tall + 1, H - 1), whole(generator, W - wide + 1, W - 1)),
        (whole(generator, 1, H - tall - 1), whole(generator, 1 - wide, -1)),
    ]
    order = mixed_order(generator, N, 4)  # no two boxes in one image
    rows = [(n, top, left, top + tall, left + wide) for n, (top, left) in zip(order.tolist(), corners, strict=False)]
    return Call({"images": images, "boxes": torch.tensor(rows)})


def beyond(generator: Generator) -> Call:
    """Boxes that are larger than the image: one holds all of it, the others a corner."""
    rows = [(1, -2, -3, 7, 6), (0, 4, -8, 13, 1), (2, 3, 2, 12, 11)]
    return Call({"images": randn(generator, 3, 2, 5, 4) + 0.5, "boxes": torch.tensor(rows)})


def square_patches(generator: Generator) -> list[Call]:
    return [patches(generator, (4, 3, 11, 9), (4, 4)), beyond(generator)]


def other_patches(generator: Generator) -> list[Call]:
    square, tall = patches(generator, (4, 1, 9, 12), (5, 5)), patches(generator, (5, 2, 8, 11), (3, 5))
    return [square, tall, beyond(generator)]


def blank_calls(generator: Generator) -> list[Call]:
    """Images of ones."""
    call = patches(generator, (4, 2, 10, 9), (5, 4))
    return [Call({**call.inputs, "images": torch.ones_like(call.inputs["images"])})]


def counts_pixels(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    H, W = calls[0].inputs["images"].shape[2:]
    top, left, bottom, right = array(calls[0].inputs["boxes"])[:, 1:].T
    inside = (bottom.clip(0, H) - top.clip(0, H)) * (right.clip(0, W) - left.clip(0, W))
    return relative(results[0][0].sum((2, 3)), np.stack([inside, inside], axis=1))


def tiling_calls(generator: Generator) -> list[Call]:
    """One image, and boxes that cover it and more, each place once."""
    corners = [(top, left) for top in (-3, 1, 5) for left in (-2, 2, 6)]
    rows = torch.tensor([(0, top, left, top + 4, left + 4) for top, left in corners])
    return [Call({"images": randn(generator, 1, 2, 9, 7) + 0.5, "boxes": rows})]


def puts_together(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """How far the patches, laid side by side again, are from the image with zeros around it."""
    framed = np.zeros((2, 12, 12))
    framed[:, 3:12, 2:9] = array(calls[0].inputs["images"][0])
    tiles = results[0][0].reshape(3, 3, 2, 4, 4)
    return relative(tiles.transpose(2, 0, 3, 1, 4).reshape(framed.shape), framed)


def contrasts(generator: Generator, n: int, *size: int) -> Tensor:
    """Pictures of noise, some with more contrast than others."""
    strength = 1 + torch.randperm(n, generator=generator).to(torch.float64) / n
    return strength[:, None, None, None] * randn(generator, n, 3, *size)


def scene(net: nn.Module, images: Tensor, chain: Chain, *, layer: str = "features", channel: int) -> Call:
    inputs = {"model": net, "images": images, "layer": layer, "channel": channel}
    return Call({**inputs, "chain": chain, "count": 3})


def convolution(generator: Generator, c: int, d: int, layer: tuple[int, int, int, int]) -> nn.Module:
    kernel, stride, padding, dilation = layer
    options = {"stride": stride, "padding": padding, "dilation": dilation, "dtype": torch.float64}
    conv = skip_init(nn.Conv2d, c, d, kernel, **options)  # no random numbers but the generator's
    with torch.no_grad():
        conv.weight.copy_(randn(generator, *conv.weight.shape) / (c * kernel**2) ** 0.5)
        conv.bias.copy_(randn(generator, d) / 10)
    return conv


def strided(generator: Generator, first: tuple[int, int, int, int] = (4, 2, 2, 1)) -> Call:
    """Two convolutions; the first steps, and its padding moves the grid off the even division of the image."""
    chain = [first, (3, 1, 1, 1)]
    convolutions = convolution(generator, 3, 4, chain[0]), convolution(generator, 4, 6, chain[1])
    features = nn.Sequential(*(module for conv in convolutions for module in (conv, nn.ReLU())))
    head = skip_init(nn.Linear, 6, 5, dtype=torch.float64)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(randn(generator, *parameter.shape) / 2)
    net = nn.Sequential(OrderedDict(features=features, pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), head=head))
    return scene(net.eval(), contrasts(generator, 5, 20, 15), chain, channel=whole(generator, 1, 4))


def pooled(generator: Generator) -> Call:
    """A max-pool between two convolutions."""
    net = FlattenNet(size=(20, 14), channels=(4, 6), generator=generator).double()
    chain = [(3, 1, 1, 1), (2, 2, 0, 1), (3, 1, 1, 1)]
    return scene(net, contrasts(generator, 5, 20, 14), chain, channel=whole(generator, 1, 4))


def below_zero(generator: Generator) -> Call:
    """A layer that is negative everywhere in this channel, and that an in-place ReLU overwrites right after it."""
    net = GapNet(channels=(4, 6), inplace=True, generator=generator).double()
    channel = whole(generator, 1, 2)
    with torch.no_grad():
        net.get_parameter("features.0.bias")[channel] -= 20.0
    return scene(net, contrasts(generator, 4, 9, 7), [(3, 1, 1, 1)], layer="features.0", channel=channel)


def awkward(generator: Generator) -> list[Call]:
    """A layer whose name is part of others; a network in use, which fails."""
    busy = BusyNet(interrupts=True, channels=(4, 6), generator=generator).double()
    namesake = NamesakeNet(width=6, generator=generator).double()
    images = contrasts(generator, 4, 8, 9)
    return [
        scene(namesake, images, [(3, 1, 1, 1)] * 3, layer="conv1", channel=whole(generator, 1, 4)),
        scene(busy, images, [(3, 1, 1, 1)] * 2, layer="features.2", channel=whole(generator, 1, 4)),
    ]


def networks(generator: Generator) -> list[Call]:
    return [strided(generator), below_zero(generator), *awkward(generator)]


def other_networks(generator: Generator) -> list[Call]:
    return [strided(generator, (5, 2, 3, 1)), pooled(generator), below_zero(generator), *awkward(generator)]


def outside_calls(generator: Generator) -> list[Call]:
    return [strided(generator)]


def blind_outside(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """How far the activation of the unit that won moves with other pixels outside its box."""
    _, scores, rows = results[0]
    inputs = calls[0].inputs
    images, layer, channel = inputs["images"], inputs["layer"], inputs["channel"]
    before = layer_activations(inputs["model"], images, layer)[:, channel]
    changes = []
    for score, (n, top, left, bottom, right) in zip(scores.tolist(), rows.tolist(), strict=True):
        if not 0 <= n < len(images):
            return 1.0
        inside = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
        other = -3 * images[[n]]
        other[:, :, inside[0], inside[1]] = images[[n], :, inside[0], inside[1]]
        after = layer_activations(inputs["model"], other, layer)[0, channel].flatten()[before[n].argmax()]
        changes.append(abs(float(after) - score))
    return max(changes) / (float(np.abs(scores).max()) or 1.0)


def renumbered_calls(generator: Generator) -> list[Call]:
    """The same pictures in two orders."""
    call = strided(generator)
    return [call, Call({**call.inputs, "images": call.inputs["images"].flip(0)})]


def follows_the_images(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    (pixels, scores, rows), (same_pixels, same_scores, renamed) = results
    rows = rows.copy()
    rows[:, 0] = len(calls[0].inputs["images"]) - 1 - rows[:, 0]
    pairs = ((same_pixels, pixels), (same_scores, scores), (renamed, rows))
    return max(relative(got, want) for got, want in pairs)


CHECKS = {
    "receptive_field": Checks(
        cases=(
            Case("three layers, one layer alone, and none", chains),
            Case("other chains, one of them empty", other_chains, hidden=True, points=2),
        ),
        laws=(
            Law(
                "chains_compose",
                "A chain of A and then B has r = r_A + (r_B − 1)·J_A, J = J_A·J_B and t = t_A + t_B·J_A.",
                split_calls,
                composes,
            ),
            Law(
                "same_padding_stays",
                "With odd kernels and p = (f − 1)·d/2 in every layer, unit 0 looks at pixel 0: t = 0.",
                same_padding_calls,
                stays_in_place,
            ),
        ),
    ),
    "unit_box": Checks(
        cases=(
            Case("odd and even sizes, first pixels above, on and below 0", lambda g: boxes(g, 7, 10)),
            Case("other fields and places, first pixels above, on and below 0", lambda g: boxes(g, 9, 6), hidden=True),
        ),
        laws=(
            Law(
                "moves_by_the_jump",
                "One unit further down, the box lies J rows further down; one to the right, J columns.",
                neighbour_calls,
                moves_by_the_jump,
            ),
            Law(
                "holds_what_is_seen",
                "The pixels that have a gradient with respect to the unit are the pixels of the box that lie in the "
                "image.",
                seen_calls,
                holds_what_is_seen,
            ),
        ),
    ),
    "top_images": Checks(
        cases=(
            Case("six images, two of them equally strong; all images of a channel below zero", ranked),
            Case(
                "other sizes, equal maxima at the cut; all images of a channel below zero",
                ranked_elsewhere,
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "stands_at_its_place",
                "A^k of image n at its place (i, j) is its score y_n, the largest there is, and no image comes twice.",
                standing_calls,
                stands_at_its_place,
            ),
            Law(
                "follows_the_scale",
                "With 3·A − 1 for A the scores become 3·s − 1; images and places stay.",
                reordered_calls,
                follows_the_scale,
            ),
        ),
    ),
    "cut_patches": Checks(
        cases=(
            Case("boxes inside, over each border, around the whole image and about a corner", square_patches),
            Case(
                "other sizes, boxes that are not square, around the whole image and about a corner",
                other_patches,
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "counts_the_pixels",
                "Cut out of an image of ones, a patch sums to the number of its pixels that lie in the image.",
                blank_calls,
                counts_pixels,
            ),
            Law(
                "laid_side_by_side",
                "Boxes that cover the image and a frame around it, laid side by side again, are the image in a frame "
                "of zeros.",
                tiling_calls,
                puts_together,
            ),
        ),
    ),
    "max_patches": Checks(
        reference=max_patches,
        cases=(
            Case("a layer with stride 2, one below zero before an in-place ReLU, a network in use", networks),
            Case("other networks, with a max-pool, and one in use", other_networks, hidden=True, points=2),
        ),
        laws=(
            Law(
                "blind_outside",
                "Other pixels outside the box leave the winning unit's activation as it is.",
                outside_calls,
                blind_outside,
                points=2,
            ),
            Law(
                "follows_the_images",
                "With the images in another order, patches and scores stay, and the boxes name the images anew.",
                renumbered_calls,
                follows_the_images,
            ),
        ),
    ),
}

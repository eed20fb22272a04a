"""Laws of lesson 05: what any right answer has, whatever its values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from autograder.exercises import max_patches_fixtures as fixtures
from autograder.records import Arrays, Call
from cnnviz_ref import activations


def _relative(got: np.ndarray | Tensor, want: np.ndarray | Tensor) -> float:
    got, want = (np.asarray(value, np.float64) for value in (got, want))
    if got.shape != want.shape:
        return float("inf")
    return float(np.abs(got - want).max(initial=0) / (np.abs(want).max(initial=0) or 1.0))


def _numbers(result: Arrays) -> np.ndarray:
    """The outputs of one call that returns plain numbers."""
    return np.array([float(each) for each in result])


# 1. receptive_field


def split_calls(generator: Generator) -> list[Call]:
    """A chain, its first part and its last part."""
    whole = fixtures.chain(generator, (fixtures.ODD, fixtures.DILATED, fixtures.EVEN, fixtures.ODD, fixtures.EVEN))
    return [Call({"chain": part}) for part in (whole, whole[:2], whole[2:])]


def composes(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """r = r_A + (r_B − 1)·J_A, J = J_A·J_B, t = t_A + t_B·J_A."""
    whole, (r, J, t), (r_above, J_above, t_above) = map(_numbers, results)
    return _relative(whole, np.array([r + (r_above - 1) * J, J * J_above, t + t_above * J]))


def same_padding_calls(generator: Generator) -> list[Call]:
    """Odd kernels with a padding of (f − 1)·d/2."""
    chain = [(2 * n + 1, s, n * d, d) for n, s, _, d in fixtures.chain(generator, 2 * (fixtures.ODD, fixtures.DILATED))]
    return [Call({"chain": chain})]


def stays_in_place(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """t = 0."""
    return abs(float(results[0][2])) / float(results[0][0])


# 2. unit_box


def neighbour_calls(generator: Generator) -> list[Call]:
    """A unit, the one below it and the one to its right."""
    i, j = (fixtures.whole(generator, 0, 4) for _ in range(2))
    field = fixtures.field(generator, 7)
    return [Call({"i": i + down, "j": j + across, **field}) for down, across in ((0, 0), (1, 0), (0, 1))]


def moves_by_the_jump(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """One unit down moves the box J rows down, one to the right J columns to the right."""
    here, below, right = map(_numbers, results)
    J = calls[0].inputs["jump"]
    down, across = np.array([J, 0, J, 0]), np.array([0, J, 0, J])
    return max(_relative(below, here + down), _relative(right, here + across))


def seen_calls(generator: Generator) -> list[Call]:
    """Two units of one layer, one of them at the border."""
    field = fixtures.field(generator, 6)
    return [Call({"i": i, "j": j, **field}) for i, j in ((0, 2), (3, 1))]


def holds_what_is_seen(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """In a layer whose kernel is the whole field, the pixels that have a gradient are those of the box."""
    H, W = 40, 36
    wrong = 0.0
    for call, result in zip(calls, results, strict=True):
        i, j, size, jump = (call.inputs[name] for name in ("i", "j", "size", "jump"))
        padding = int((size - 1) / 2 - call.inputs["start"])
        image = torch.zeros(1, 1, H, W, dtype=torch.float64, requires_grad=True)
        kernel = torch.ones(1, 1, size, size, dtype=torch.float64)
        unit = torch.nn.functional.conv2d(image, kernel, stride=jump, padding=padding)[0, 0, i, j]
        (seen,) = torch.autograd.grad(unit, image)
        top, left, bottom, right = (int(each) for each in result)
        rows, columns = torch.arange(H), torch.arange(W)
        inside = ((rows >= top) & (rows < bottom))[:, None] & ((columns >= left) & (columns < right))
        wrong = max(wrong, float(((seen[0, 0] != 0) != inside).double().mean()))
    return wrong


# 3. top_images


def standing_calls(generator: Generator) -> list[Call]:
    """Maps, some of their maxima equal."""
    return [fixtures.maps(generator, (6, 4, 4, 5), 5, fixtures.EQUAL_MAXIMA)]


def stands_at_its_place(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """A^k of image n at (i, j) is its score, nothing in that image is larger, and no image comes twice."""
    scores, images, places = results[0]
    A = calls[0].inputs["activations"][:, calls[0].inputs["channel"]].numpy()
    if len(set(images.tolist())) < len(images):
        return 1.0
    if ((places < 0) | (places >= A.shape[1:])).any() or ((images < 0) | (images >= len(A))).any():
        return 1.0
    there = A[images, places[:, 0], places[:, 1]]
    return max(_relative(scores, there), _relative(scores, A[images].max((1, 2))))


def reordered_calls(generator: Generator) -> list[Call]:
    """Maps, and the same ones as 3·A − 1."""
    call = fixtures.maps(generator, (6, 4, 4, 5), 4, fixtures.EQUAL_MAXIMA)
    return [call, Call({**call.inputs, "activations": 3 * call.inputs["activations"] - 1})]


def follows_the_scale(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Scores become 3·s − 1; images and places stay."""
    (scores, images, places), (others, *same) = results
    return max(_relative(others, 3 * scores - 1), _relative(same[0], images), _relative(same[1], places))


# 4. cut_patches


def blank_calls(generator: Generator) -> list[Call]:
    """Images of ones."""
    call = fixtures.patches(generator, (4, 2, 10, 9), (5, 4))
    return [Call({**call.inputs, "images": torch.ones_like(call.inputs["images"])})]


def counts_pixels(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The sum over a patch of ones is the number of pixels of the box that lie in the image."""
    _, _, H, W = calls[0].inputs["images"].shape
    boxes = calls[0].inputs["boxes"].numpy()
    top, left, bottom, right = boxes[:, 1:].T
    inside = (bottom.clip(0, H) - top.clip(0, H)) * (right.clip(0, W) - left.clip(0, W))
    return _relative(results[0][0].sum((2, 3)), np.stack([inside, inside], axis=1))


def tiling_calls(generator: Generator) -> list[Call]:
    """One image, and boxes that cover it and more, each place once."""
    images = fixtures.randn(generator, 1, 2, 9, 7) + 0.5
    corners = [(top, left) for top in (-3, 1, 5) for left in (-2, 2, 6)]
    return [Call({"images": images, "boxes": torch.tensor([(0, t, l, t + 4, l + 4) for t, l in corners])})]


def puts_together(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Laid side by side again, the patches are the image with zeros around it."""
    images = calls[0].inputs["images"]
    around = np.zeros((images.shape[1], 12, 12))
    around[:, 3:12, 2:9] = images[0].numpy()
    patches = results[0][0].reshape(3, 3, images.shape[1], 4, 4)
    return _relative(patches.transpose(2, 0, 3, 1, 4).reshape(around.shape), around)


# 5. max_patches


def outside_calls(generator: Generator) -> list[Call]:
    """A small network and five pictures."""
    return [fixtures.strided(generator)]


def blind_outside(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """With other pixels outside the box, the unit that won gives the same activation."""
    _, scores, boxes = results[0]
    inputs = calls[0].inputs
    images, layer, channel = inputs["images"], inputs["layer"], inputs["channel"]
    before = activations(inputs["model"], images, layer)[:, channel]
    changes = []
    for score, (n, top, left, bottom, right) in zip(scores.tolist(), boxes.tolist(), strict=True):
        if not 0 <= n < len(images):
            return 1.0
        other = -3 * images[[n]].clone()
        inside = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
        other[:, :, inside[0], inside[1]] = images[[n], :, inside[0], inside[1]]
        winner = before[n].flatten().argmax()
        after = activations(inputs["model"], other, layer)[0, channel].flatten()[winner]
        changes.append(abs(float(after) - score))
    return max(changes) / (float(np.abs(scores).max()) or 1.0)


def renumbered_calls(generator: Generator) -> list[Call]:
    """The same pictures in two orders."""
    call = fixtures.strided(generator)
    return [call, Call({**call.inputs, "images": call.inputs["images"].flip(0)})]


def follows_the_images(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Patches and scores stay; the boxes only name the images anew."""
    (pixels, scores, boxes), (same_pixels, same_scores, renamed) = results
    boxes = boxes.copy()
    boxes[:, 0] = len(calls[0].inputs["images"]) - 1 - boxes[:, 0]
    pairs = ((same_pixels, pixels), (same_scores, scores), (renamed, boxes))
    return max(_relative(got, want) for got, want in pairs)

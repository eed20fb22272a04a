"""Laws of lesson 04, layer activation: what any right answer keeps, whatever its values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from autograder.exercises import layer_activation_fixtures as fixtures
from autograder.records import Arrays, Call
from cnnviz.small_nets import GapNet

Calls = Sequence[Call]
Results = Sequence[Arrays]


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def all_the_same(calls: Calls, results: Results) -> float:
    """Every call gives what the first one gives."""
    return max(_relative(result[0], results[0][0]) for result in results[1:])


# capture


def mixtures(generator: Generator) -> list[Call]:
    """Two batches and their mean, seen by a first convolution with an in-place ReLU after it."""
    net = GapNet(channels=(4, 6), inplace=True, generator=generator)
    call = fixtures.look(generator, net, "features.0", 2)
    x = call.inputs["images"]
    return [Call({**call.inputs, "images": images}) for images in (x, x.flip(0), (x + x.flip(0)) / 2)]


def affine(calls: Calls, results: Results) -> float:
    """A((x + x')/2) = (A(x) + A(x'))/2."""
    one, two, mixed = (result[0] for result in results)
    return _relative(mixed, (one + two) / 2)


def pooled(generator: Generator) -> list[Call]:
    """The layer that is pooled."""
    net = GapNet(channels=(4, 6), generator=generator)
    return [fixtures.look(generator, net, "features", 3)]


def scores_again(calls: Calls, results: Results) -> float:
    """The rest of the network, run on A, gives the scores."""
    model, images = calls[0].inputs["model"], calls[0].inputs["images"]
    with torch.no_grad():
        again = model.classifier(model.pool(torch.as_tensor(results[0][0]).to(images)).flatten(1))
        return _relative(again.numpy(), model(images).numpy())


# channel_thresholds


def counted(generator: Generator) -> list[Call]:
    """Values of six images, all different."""
    return [Call({"activations": fixtures.layer_values(generator, 6, 4, 5, 3), "quantile": q}) for q in (0.8, 0.33)]


def share_above(calls: Calls, results: Results) -> float:
    """The share of a channel's values over T_k is 1 - q, to within one value."""
    worst = 0.0
    for call, (T,) in zip(calls, results, strict=True):
        A = call.inputs["activations"].numpy()
        above = np.greater(A, np.asarray(T)[:, None, None]).mean(axis=(0, 2, 3))
        off = np.abs(above - (1 - call.inputs["quantile"])) - A.shape[1] / A.size
        worst = max(worst, float(off.max()))
    return max(worst, 0.0)


def moved_about(generator: Generator) -> list[Call]:
    """The same values at other places of other images."""
    A = fixtures.layer_values(generator, 3, 4, 5, 3)
    rows = A.transpose(0, 1).flatten(1)
    order = torch.randperm(rows.shape[1], generator=generator)
    moved = rows[:, order].view(4, 3, 5, 3).transpose(0, 1).contiguous()
    return [Call({"activations": each, "quantile": 0.85}) for each in (A, moved)]


def other_units(generator: Generator) -> list[Call]:
    """A and 3·A - 2."""
    A = fixtures.layer_values(generator, 3, 4, 5, 3)
    return [Call({"activations": each, "quantile": 0.7}) for each in (A, 3 * A - 2)]


def follows(calls: Calls, results: Results) -> float:
    """T of 3·A - 2 is 3·T - 2."""
    return _relative(results[1][0], 3 * results[0][0] - 2)


# upsample_and_mask


def its_own_size(generator: Generator) -> list[Call]:
    """Maps that are cut on their own grid."""
    return [fixtures.maps_to_cut(generator, 2, (4, 5), (4, 5))]


def plain_comparison(calls: Calls, results: Results) -> float:
    """Where nothing is enlarged, M is A > T."""
    given = calls[0].inputs
    want = given["activations"] > given["thresholds"][:, None, None]
    return _relative(results[0][0], want.numpy())


def shifted(generator: Generator) -> list[Call]:
    """A and T, then 4·A + 8 and 4·T + 8."""
    call = fixtures.maps_to_cut(generator, 2, (4, 3), (9, 8))
    call.inputs["thresholds"][2] = -1.0  # type: ignore[index]
    moved = {name: 4 * call.inputs[name] + 8 for name in ("activations", "thresholds")}
    return [call, Call({**call.inputs, **moved})]


# dataset_iou


def side_by_side(generator: Generator) -> list[Call]:
    """Four images; the same pictures, two and two put side by side."""
    call = fixtures.overlapping(generator, 4, 4, (5, 6))
    joined = {name: torch.cat([value[:2], value[2:]], dim=-1) for name, value in call.inputs.items()}
    return [call, Call(joined)]


def turned_round(generator: Generator) -> list[Call]:
    """One channel and a concept; then the concept as the channel and the channel as the concept."""
    call = fixtures.overlapping(generator, 3, 3, (5, 6))
    mask, concept = call.inputs["masks"][:, 1], call.inputs["concept"]
    return [Call({"masks": m[:, None], "concept": c}) for m, c in ((mask, concept), (concept, mask))]


# dissect


def other_biases(generator: Generator) -> list[Call]:
    """A network, and the same one with other biases in the layer."""
    call = fixtures.scene(generator, fixtures.half_grid, "features.2", 4, 0.75)
    raised = fixtures.half_grid(generator).double()
    raised.load_state_dict(call.inputs["model"].state_dict())
    with torch.no_grad():
        bias: Tensor = raised.features[2].bias  # type: ignore[index, union-attr, assignment]
        bias.sub_(torch.linspace(-2, 3, len(bias), dtype=torch.float64))
    return [call, Call({**call.inputs, "model": raised})]

"""Laws of lesson 8, saliency: what any right answer does, and the calls that show it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import skip_init

from autograder.exercises.saliency_fixtures import CLASSES, classified, flatten, gradients, randn, scene
from autograder.exercises.saliency_misconceptions import differentiated
from autograder.records import Arrays, Call

TINY = 1e-7
"""Length of the step in the law of the tiny step: within one linear piece of the network."""


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy()


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def _linear(generator: Generator) -> Call:
    """y = w·I + b, three images and three classes."""
    head = skip_init(nn.Linear, 2 * 4 * 3, CLASSES, dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(randn(generator, *head.weight.shape))
        head.bias.copy_(randn(generator, CLASSES))
    targets = torch.randperm(CLASSES, generator=generator)[:3]
    images = randn(generator, 3, 2, 4, 3)
    return Call({"model": nn.Sequential(nn.Flatten(), head), "images": images, "targets": targets})


def _rows(call: Call) -> np.ndarray:
    """w_c of each image's own class, [N C H W]."""
    images, targets = call.inputs["images"], call.inputs["targets"]
    return _array(call.inputs["model"][1].weight[targets]).reshape(images.shape)


def linear(generator: Generator) -> list[Call]:
    """A linear model."""
    return [_linear(generator)]


def linear_in_both_forms(generator: Generator) -> list[Call]:
    """A linear model, once for each form."""
    call = _linear(generator)
    return [call, Call({**call.inputs, "form": "squared"})]


def is_w(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """G = w_c."""
    return _relative(results[0][0], _rows(calls[0]))


def is_size_of_w(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """M = max_k |w_k|, S = M²."""
    largest = np.abs(_rows(calls[0])).max(axis=1)
    return max(_relative(results[0][0], largest), _relative(results[1][0], largest**2))


def _direction(images: Tensor) -> Tensor:
    """One fixed direction for each image."""
    return torch.randn(images.shape, generator=torch.Generator().manual_seed(0), dtype=images.dtype)


@torch.no_grad()
def _slope(call: Call, v: Tensor) -> Tensor:
    """(y^c(I + tv) - y^c(I - tv)) / 2t, t tiny [N]."""
    model, images, targets = (call.inputs[name] for name in ("model", "images", "targets"))
    up, down = (model(images + t * v).gather(1, targets[:, None])[:, 0] for t in (TINY, -TINY))
    return (up - down) / (2 * TINY)


def stepped(generator: Generator) -> list[Call]:
    """Drawn until the step crosses no kink of the network, and moves every score well."""
    for _ in range(200):
        call = scene(generator, flatten)
        v = _direction(call.inputs["images"])
        products = v * differentiated(*(call.inputs[name] for name in ("model", "images", "targets")))
        slope, expected = _slope(call, v), products.sum((1, 2, 3))
        steep = expected.abs() > 0.05 * products.abs().sum((1, 2, 3))
        if bool(steep.all()) and float((slope - expected).abs().max()) < 1e-7 * float(expected.abs().max()):
            return [call]
    raise RuntimeError("no step found that stays within one linear piece")


def tiny_step(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """y^c(I + v) - y^c(I) = Σ G·v for a tiny v."""
    v = _direction(calls[0].inputs["images"])
    return _relative((results[0][0] * _array(v)).sum(axis=(1, 2, 3)), _array(_slope(calls[0], v)))


def batch_and_singles(generator: Generator) -> list[Call]:
    """Three images together, then each alone."""
    batch = scene(generator, flatten)
    images, targets = batch.inputs["images"], batch.inputs["targets"]
    alone = [Call({**batch.inputs, "images": images[[n]], "targets": targets[[n]]}) for n in range(len(images))]
    return [batch, *alone]


def as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Results of single images beside those of the batch."""
    return _relative(np.concatenate([alone[0] for alone in results[1:]]), results[0][0])


def turned_round(generator: Generator) -> list[Call]:
    """G and -2·G."""
    call = gradients(generator, 2, 3, 4, 5)
    return [call, Call({"gradients": -2 * call.inputs["gradients"]})]


def doubled(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """M(-2·G) = 2·M(G)."""
    return _relative(results[1][0], 2 * results[0][0])


def quadrupled(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """S(-2·G) = 4·S(G)."""
    return _relative(results[1][0], 4 * results[0][0])


def grey(generator: Generator) -> list[Call]:
    """The same gradient in all colours."""
    return [Call({"gradients": randn(generator, 2, 1, 4, 3).expand(2, 3, 4, 3).clone()})]


def size_of_grey(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """M = |g|."""
    return _relative(results[0][0], np.abs(_array(calls[0].inputs["gradients"][:, 0])))


def square_of_grey(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """S = g²."""
    return _relative(results[0][0], _array(calls[0].inputs["gradients"][:, 0]) ** 2)


def every_class(generator: Generator) -> list[Call]:
    """One image, and every class asked about in turn."""
    one = classified(generator, 1, 4, 3, 4, 5).inputs
    return [
        Call(
            {
                "score_gradients": one["score_gradients"].expand(4, -1, -1, -1, -1).clone(),
                "scores": one["scores"].expand(4, -1).clone(),
                "targets": torch.arange(4),
            }
        )
    ]


def sums_to_zero(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Σ_c ∂p^c/∂I = 0, relative to the largest of the terms."""
    terms = results[0][0]
    return float(np.abs(terms.sum(axis=0)).max() / (np.abs(terms).max() or 1.0))


def pushed(generator: Generator) -> list[Call]:
    """The same image, and once more with a push that all scores share."""
    one = classified(generator, 2, 4, 3, 4, 5).inputs
    push = randn(generator, 2, 1, 3, 4, 5)
    return [Call(one), Call({**one, "score_gradients": one["score_gradients"] + push, "scores": one["scores"] + 2})]


def push_does_nothing(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """∂p^c/∂I is the same with the push."""
    return _relative(results[1][0], results[0][0])


def sure(generator: Generator) -> list[Call]:
    """Scores of which the target's is 40 above all others."""
    one = classified(generator, 2, 4, 3, 4, 5).inputs
    scores = one["scores"].scatter(1, one["targets"][:, None], 40.0 + float(one["scores"].max()))
    return [Call({**one, "scores": scores})]


def is_flat(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """∂p^c/∂I = 0, relative to the gradients of the scores."""
    return float(np.abs(results[0][0]).max() / np.abs(_array(calls[0].inputs["score_gradients"])).max())

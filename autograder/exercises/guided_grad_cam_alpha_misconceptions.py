"""Wrong answers of lesson 12, guided Grad-CAM: the weights of the channels by plain and by guided signals."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.exercises.guided_backprop_misconceptions import Send, deconvnet, guided, own_score, plain
from autograder.records import Misconception

# 3. two_alphas(activations, hidden, output, targets) -> α, α̃

Objective = Callable[[Tensor, Tensor], Tensor]


def at_layer(
    activations: Tensor, hidden: Tensor, output: Tensor, targets: Tensor, send: Send, objective: Objective = own_score
) -> Tensor:
    """The signal at A [N K h w] of the head W_2 ReLU(W_1 A), when the ReLU sends back by `send`."""
    x = activations.flatten(1) @ hidden.T
    with torch.enable_grad():
        scores = (x.clamp(min=0) @ output.T).detach().requires_grad_()
        (start,) = torch.autograd.grad(objective(scores, targets), scores)
    return (send(x > 0, start @ output) @ hidden).reshape(activations.shape)


def alphas(
    activations: Tensor,
    hidden: Tensor,
    output: Tensor,
    targets: Tensor,
    *,
    clean: Send = plain,
    second: Send = guided,
    objective: Objective = own_score,
) -> tuple[Tensor, ...]:
    """α by the rule `clean`, and by the rule `second`."""
    signals = (at_layer(activations, hidden, output, targets, send, objective) for send in (clean, second))
    return tuple(signal.mean((2, 3)) for signal in signals)


def _heads(**options) -> Callable[..., tuple[Tensor, ...]]:
    return lambda activations, hidden, output, targets: alphas(activations, hidden, output, targets, **options)


def _changed(change: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> Callable[..., tuple[Tensor, Tensor]]:
    """`change(gradient at A, guided signal at A)` in place of the two means."""

    def wrong(activations, hidden, output, targets):
        head = (activations, hidden, output, targets)
        return change(at_layer(*head, plain), at_layer(*head, guided))

    return wrong


def _open_where(is_open: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, ...]]:
    def wrong(activations, hidden, output, targets):
        sent = output[targets] * is_open(activations.flatten(1) @ hidden.T)
        return tuple(_mean((R @ hidden).reshape(activations.shape)) for R in (sent, sent.clamp(min=0)))

    return wrong


def _mean(signal: Tensor) -> Tensor:
    return signal.mean((2, 3))


def _channels_last(signal: Tensor) -> Tensor:
    n, k, h, w = signal.shape
    return signal.reshape(n, h, w, k).mean((1, 2))


OBJECTIVES: dict[str, tuple[Objective, str]] = {
    "probability": (
        lambda y, c: own_score(y.softmax(1), c),
        "You started from the probability, softmax(y)^c. y^c is the score before the softmax: R is 1 at the score of "
        "class c and 0 at every other score.",
    ),
    "predicted_class": (
        lambda y, c: own_score(y, y.argmax(1)),
        "You explained the class with the largest score. c is the class the caller asks about: targets[n], also where "
        "the network prefers another one.",
    ),
    "all_scores": (
        lambda y, c: y.sum(),
        "You started with R = 1 at all class scores. Only y^c counts: R is 1 at scores[n, targets[n]], else 0.",
    ),
    "mean_over_batch": (
        lambda y, c: own_score(y, c) / len(c),
        "You averaged y^c over the batch, so that everything is N times too small. Add the N scores up: each depends "
        "on its own image alone.",
    ),
    "first_target": (
        lambda y, c: y[:, c[0]].sum(),
        "You explained the first image's class in every image. Image n has its own class c = targets[n].",
    ),
    "every_target": (
        lambda y, c: y[:, c].sum(),
        "scores[:, targets] is an N x N table: every image was asked about the targets of all images. Take one score "
        "an image: scores[torch.arange(N), targets].",
    ),
}

ALPHAS = (
    Misconception(
        "swapped",
        _changed(lambda g, s: (_mean(s), _mean(g))),
        "The two results are in the other order: first α, then α̃.",
    ),
    Misconception(
        "guided_twice",
        _heads(clean=guided),
        "Both results are guided. For α, the ReLU sends back [x > 0] R, with negative R too: the plain gradient.",
    ),
    Misconception(
        "plain_twice",
        _heads(second=plain),
        "Both results come from the plain gradient. For α̃, the ReLU sends back [x > 0] [R > 0] R.",
    ),
    Misconception(
        "deconvnet",
        _heads(second=deconvnet),
        "For α̃ you asked for R > 0 alone: that is the deconvnet. The guided rule also asks whether the ReLU is open: "
        "[x > 0] [R > 0] R.",
    ),
    Misconception(
        "relu_left_out",
        _heads(clean=lambda open_, R: R, second=deconvnet),
        "You went back as if there were no ReLU. It is closed where x <= 0, and nothing comes through there: multiply "
        "by [x > 0].",
    ),
    Misconception(
        "open_at_zero",
        _open_where(lambda x: x >= 0),
        "You let R pass where x = 0. The brackets say x > 0: of an image whose activations are all 0, both α are 0.",
    ),
    Misconception(
        "closed_near_zero",
        _open_where(lambda x: x > 1e-6),
        "You let R pass only where x is well over 0. [x > 0] is 1 for every positive x, also for 1e-9.",
    ),
    Misconception(
        "absolute_signal",
        _heads(second=lambda open_, R: R.abs() * open_),
        "For α̃ you sent |R| back. A negative R is not turned round: it becomes 0.",
    ),
    Misconception(
        "negative_kept",
        _heads(second=lambda open_, R: R.clamp(max=0) * open_),
        "For α̃ you kept the negative R and dropped the positive ones. The guided rule lets R pass where R > 0.",
    ),
    Misconception(
        "clamped_at_the_layer",
        _changed(lambda g, s: (_mean(g), _mean(g.clamp(min=0)))),
        "For α̃ you clamped the finished gradient at A. The guided rule works at the ReLU, in the middle of the head: "
        "clamp R there, before it is multiplied by W_1.",
    ),
    Misconception(
        "clamped_twice",
        _changed(lambda g, s: (_mean(g), _mean(s.clamp(min=0)))),
        "α̃ follows the rule at the ReLU, but you clamped again at A. There is no ReLU at A here: what arrives may be "
        "negative.",
    ),
    Misconception(
        "clamped_alpha",
        _changed(lambda g, s: (_mean(g), _mean(g).clamp(min=0))),
        "Your α̃ is ReLU(α). The guided rule works at the ReLU of the head, on every R, before W_1 and the mean.",
    ),
    Misconception(
        "clean_clamped",
        _changed(lambda g, s: (_mean(g).clamp(min=0), _mean(s))),
        "You cut off the negative α_k. α keeps its sign: a channel that speaks against the class has to be subtracted.",
    ),
    Misconception(
        "sum_for_mean",
        _changed(lambda g, s: (g.sum((2, 3)), s.sum((2, 3)))),
        "You summed over i, j; α_k is a mean: divide by Z = h·w.",
    ),
    Misconception(
        "not_averaged",
        _changed(lambda g, s: (g, s)),
        "You returned the signals at A, [N K h w]. α has one number a channel: the mean over i, j.",
    ),
    Misconception(
        "channels_last",
        _changed(lambda g, s: (_channels_last(g), _channels_last(s))),
        "You folded the signal back as [N h w K]. activations.flatten(1) goes through channels first, then rows, then "
        "columns: reshape to [N K h w].",
    ),
    Misconception(
        "times_activations",
        lambda activations, hidden, output, targets: tuple(
            (at_layer(activations, hidden, output, targets, send) * activations).mean((2, 3))
            for send in (plain, guided)
        ),
        "You multiplied by A before the mean. α_k is the mean of ∂y^c/∂A^k alone; A comes in with the map.",
    ),
    *(Misconception(name, _heads(objective=function), told) for name, (function, told) in OBJECTIVES.items()),
)

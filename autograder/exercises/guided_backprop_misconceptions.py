"""Wrong answers of lesson 09, guided backpropagation, that need a network: the perceptron and the whole method."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autograder.records import Misconception

Send = Callable[[Tensor, Tensor], Tensor]
"""(where the derivative of the ReLU is 1 [bool], R) -> what is sent back."""
Objective = Callable[[Tensor, Tensor], Tensor]
"""Scores [N classes], targets [N] -> the number that is differentiated."""


def plain(open_: Tensor, R: Tensor) -> Tensor:
    """The gradient: [x > 0] R."""
    return R * open_


def guided(open_: Tensor, R: Tensor) -> Tensor:
    """[x > 0] [R > 0] R."""
    return R.clamp(min=0) * open_


def deconvnet(open_: Tensor, R: Tensor) -> Tensor:
    """[R > 0] R."""
    return R.clamp(min=0)


def own_score(scores: Tensor, targets: Tensor) -> Tensor:
    """Σ_n y^c of image n at its own target: the gradient for image n is that of its own score."""
    return scores.gather(1, targets[:, None]).sum()


class _Sending(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, send: Send, top: float, x: Tensor) -> Tensor:
        ctx.send, ctx.top = send, top
        ctx.save_for_backward(x)
        return x.clamp(0, top)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (x,) = ctx.saved_tensors
        return None, None, ctx.send((x > 0) & (x < ctx.top), grads[0])


def rectified(x: Tensor, send: Send, top: float = float("inf")) -> Tensor:
    """ReLU(x), cut off at `top`, whose derivative is `send`."""
    return _Sending.apply(send, top, x)


# 2. guided_perceptron(inputs, weights, targets) -> map

SENDS: dict[str, tuple[Send, str]] = {
    "plain_gradient": (
        plain,
        "This is the plain gradient, [x > 0] R. The guided rule also asks for R > 0: clamp R at every ReLU.",
    ),
    "deconvnet": (
        deconvnet,
        "This is the deconvnet, [R > 0] R: it ignores x. The guided rule also keeps the ReLU's own derivative, [x > "
        "0].",
    ),
    "negative_kept": (
        lambda open_, R: R.clamp(max=0) * open_,
        "You kept the negative R and dropped the positive ones. The guided rule lets R pass where R > 0.",
    ),
    "absolute_signal": (
        lambda open_, R: R.abs() * open_,
        "You sent |R| back. A negative R is not turned round: it becomes 0.",
    ),
    "mask_for_signal": (
        lambda open_, R: ((R > 0) & open_).to(R),
        "You sent back the mask, 1 where both signs are positive. Send the signal itself there: [x > 0] [R > 0] R.",
    ),
    "either_positive": (
        lambda open_, R: R * (open_ | (R > 0)),
        "You let R pass where x > 0 or R > 0. Both must hold: it is x > 0 and R > 0.",
    ),
}

OBJECTIVES: dict[str, tuple[Objective, str]] = {
    "probability": (
        lambda y, c: own_score(y.softmax(1), c),
        "You started from the probability, softmax(y)^c. y^c is the score before the softmax: R is 1 at the score of "
        "class c and 0 at every other score.",
    ),
    "cross_entropy": (
        lambda y, c: F.cross_entropy(y, c),
        "You started from the cross-entropy loss, as in training. The map begins at the score itself: R is 1 at y^c "
        "and 0 at every other score.",
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
        "You averaged y^c over the batch, so that every map is N times too small. Add the N scores up: each depends on "
        "its own image alone.",
    ),
    "first_target": (
        lambda y, c: y[:, c[0]].sum(),
        "You explained the first image's class in every image. Image n has its own class c = targets[n].",
    ),
    "every_target": (
        lambda y, c: y[:, c].sum(),
        "scores[:, targets] is an N x N table: every image was asked about the targets of all images. Take one score "
        "an "
        "image: scores[torch.arange(N), targets].",
    ),
}


def perceptron_map(
    inputs: Tensor,
    weights: Sequence[Tensor],
    targets: Tensor,
    *,
    sends: Callable[[int], Send] = lambda layer: guided,
    objective: Objective = own_score,
    last: bool = False,
) -> Tensor:
    """The map of a chain of linear layers with a ReLU after each but the last (`last`: after that one, too)."""
    with torch.enable_grad():
        start = inputs.detach().clone().requires_grad_()
        a = start
        for layer, W in enumerate(weights):
            a = a @ W.T
            if last or layer < len(weights) - 1:
                a = rectified(a, sends(layer))
        return torch.autograd.grad(objective(a, targets), start)[0]


def _perceptron(**options) -> Callable[..., Tensor]:
    return lambda inputs, weights, targets: perceptron_map(inputs, weights, targets, **options)


def _by_hand(of: Callable[[Tensor], Tensor], is_open: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """The guided rule without autograd: values forward with W, signals back with `of(W)` where `is_open(x)`."""

    def wrong(inputs, weights, targets):
        entering, a = [], inputs
        for W in weights[:-1]:
            entering.append(a @ W.T)
            a = entering[-1].clamp(min=0)
        R = of(weights[-1])[targets]
        for W, x in zip(reversed(weights[:-1]), reversed(entering), strict=True):
            R = (R.clamp(min=0) * is_open(x)) @ of(W)
        return R

    return wrong


def _clamped(**options) -> Callable[..., Tensor]:
    return lambda inputs, weights, targets: perceptron_map(inputs, weights, targets, **options).clamp(min=0)


_FIRST_ONLY = "Only the first ReLU, next to the {start}, is guided. All have to be: each clamps its own R."
_LAST_ONLY = "Only the last ReLU, next to the scores, is guided. All have to be: each clamps its own R."
_FINAL_GRADIENT = (
    "You computed the plain gradient and cut off its negative values at the end. The guided rule clamps R at every "
    "ReLU on the way, and leaves the finished map alone."
)
_FINAL_GUIDED = (
    "Every ReLU is right, but you cut off the negative values of the finished map as well. No ReLU stands at the "
    "{start}: the map keeps both signs."
)

PERCEPTRON = (
    *(Misconception(name, _perceptron(sends=lambda layer, s=send: s), told) for name, (send, told) in SENDS.items()),
    Misconception(
        "first_relu_only",
        _perceptron(sends=lambda layer: guided if layer == 0 else plain),
        _FIRST_ONLY.format(start="inputs"),
    ),
    Misconception(
        "last_relu_only",
        lambda inputs, weights, targets: perceptron_map(
            inputs, weights, targets, sends=lambda layer: guided if layer == len(weights) - 2 else plain
        ),
        _LAST_ONLY,
    ),
    Misconception("clamped_gradient", _clamped(sends=lambda layer: plain), _FINAL_GRADIENT),
    Misconception("clamped_map", _clamped(), _FINAL_GUIDED.format(start="inputs")),
    Misconception(
        "open_at_zero",
        _by_hand(lambda W: W, lambda x: x >= 0),
        "You let R pass where x = 0. The brackets say x > 0, and so does the derivative of torch.relu.",
    ),
    Misconception(
        "relu_on_the_scores",
        _perceptron(last=True),
        "You put a ReLU after the last layer, too. Its outputs are the scores y themselves, which may be negative: a "
        "class with y^c < 0 has a map as well.",
    ),
    Misconception(
        "closed_near_zero",
        _by_hand(lambda W: W, lambda x: x > 1e-6),
        "You let R pass only where x is well over 0. [x > 0] is 1 for every positive x, also for 1e-7.",
    ),
    Misconception(
        "positive_weights",
        _by_hand(lambda W: W.clamp(min=0), lambda x: x > 0),
        "You dropped the negative weights. The rule is about the signal: keep all of W, and clamp R, the sum that "
        "arrives, at each ReLU.",
    ),
    Misconception(
        "times_the_inputs",
        lambda inputs, weights, targets: inputs * perceptron_map(inputs, weights, targets),
        "You multiplied the map by the inputs. Guided backpropagation returns what arrives at the inputs, as it is.",
    ),
    *(Misconception(name, _perceptron(objective=function), told) for name, (function, told) in OBJECTIVES.items()),
)


# 3. guided_backprop(model, images, targets) -> map

Choice = Callable[[nn.Module, list[nn.Module]], Sequence[nn.Module]]
"""(model, its ReLUs in order) -> those that follow the rule."""


def relus_of(model: nn.Module) -> list[nn.Module]:
    """Every nn.ReLU and nn.ReLU6 of the network."""
    return [module for module in model.modules() if isinstance(module, nn.ReLU | nn.ReLU6)]


@contextmanager
def _sending(relus: Sequence[nn.Module], send: Send, *, capped: bool = True) -> Iterator[None]:
    for module in relus:
        top = 6.0 if isinstance(module, nn.ReLU6) and capped else float("inf")
        module.forward = lambda x, top=top: rectified(x, send, top)  # type: ignore[assignment]
    try:
        yield
    finally:
        for module in relus:
            del module.forward


def network_map(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    *,
    send: Send = guided,
    choice: Choice = lambda model, relus: relus,
    objective: Objective = own_score,
    capped: bool = True,
) -> Tensor:
    """What arrives at the images when the chosen ReLUs send back by the rule."""
    with torch.enable_grad(), _sending(choice(model, relus_of(model)), send, capped=capped):
        start = images.detach().clone().requires_grad_()
        return torch.autograd.grad(objective(model(start.clone()), targets), start)[0]


def _network(**options) -> Callable[..., Tensor]:
    return lambda model, images, targets: network_map(model, images, targets, **options)


def _changed(change: Callable[[Tensor], Tensor], **options) -> Callable[..., Tensor]:
    """The method with `change` done to the finished map."""
    return lambda model, images, targets: change(network_map(model, images, targets, **options))


def _one_mask_a_module(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    masks: dict[nn.Module, Tensor] = {}

    def remember(module, inputs):
        masks[module] = (inputs[0] > 0) & (inputs[0] < (6 if isinstance(module, nn.ReLU6) else torch.inf))

    def send_of(module):
        return lambda open_, R: guided(masks[module] if masks[module].shape == R.shape else open_, R)

    with ExitStack() as stack:
        for module in relus_of(model):
            stack.callback(module.register_forward_pre_hook(remember).remove)
            stack.enter_context(_sending([module], send_of(module)))
        return network_map(model, images, targets, choice=lambda model, relus: [])


def _over_maximum(maps: Tensor) -> Tensor:
    return maps / maps.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)


def _min_max(maps: Tensor) -> Tensor:
    low, high = maps.amin((1, 2, 3), keepdim=True), maps.amax((1, 2, 3), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-12)


def _in_features(model: nn.Module, relus: list[nn.Module]) -> list[nn.Module]:
    return relus_of(model.get_submodule("features"))


def _every_layer(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    def keep_positive(module, inputs, output):
        output.register_hook(lambda R: R.clamp(min=0))

    layers = [module for module in model.modules() if not list(module.children())]
    handles = [layer.register_forward_hook(keep_positive) for layer in layers]
    try:
        return network_map(model, images, targets, choice=lambda model, relus: [])
    finally:
        for handle in handles:
            handle.remove()


METHOD = (
    *(Misconception(name, _network(send=send), told) for name, (send, told) in SENDS.items()),
    Misconception(
        "first_relu_only",
        _network(choice=lambda model, relus: relus[:1]),
        _FIRST_ONLY.format(start="image"),
    ),
    Misconception("last_relu_only", _network(choice=lambda model, relus: relus[-1:]), _LAST_ONLY),
    Misconception(
        "classifier_missed",
        _network(choice=_in_features),
        "The ReLUs of the classifier do not follow the rule. Go through model.modules(), not only model.features: "
        "every "
        "ReLU between the score and the image counts.",
    ),
    Misconception(
        "one_mask_a_module",
        _one_mask_a_module,
        "You kept one mask [x > 0] for each module. A module that is used twice overwrites it: each call needs a mask "
        "of its own, as a hook on the output tensor or ctx of an autograd.Function has it.",
    ),
    Misconception(
        "every_layer",
        _every_layer,
        "You clamp R behind every layer. Only a ReLU has another rule: convolutions and all else send back what the "
        "chain "
        "rule says, negative values too.",
    ),
    Misconception(
        "relu6_missed",
        _network(choice=lambda model, relus: [r for r in relus if isinstance(r, nn.ReLU)]),
        "The ReLU6 layers do not follow the rule: nn.ReLU6 is no subclass of nn.ReLU. Ask isinstance(module, (nn.ReLU, "
        "nn.ReLU6)).",
    ),
    Misconception(
        "relu6_without_six",
        _network(capped=False),
        "You put a plain ReLU in the place of ReLU6, so the network computes other values. A ReLU6 also cuts off at 6, "
        "and its derivative is 0 there: [0 < x < 6].",
    ),
    Misconception("clamped_gradient", _changed(lambda maps: maps.clamp(min=0), send=plain), _FINAL_GRADIENT),
    Misconception("clamped_map", _changed(lambda maps: maps.clamp(min=0)), _FINAL_GUIDED.format(start="image")),
    Misconception(
        "absolute_map",
        _changed(torch.abs),
        "You returned the absolute value of the map. Guided backpropagation is signed: say |·| only for a picture.",
    ),
    Misconception(
        "times_the_image",
        lambda model, images, targets: images * network_map(model, images, targets),
        "You multiplied the map by the image. Guided backpropagation returns what arrives at the pixels, as it is.",
    ),
    Misconception(
        "sum_over_colours",
        _changed(lambda maps: maps.sum(1)),
        "You summed over the colour channels. The map is [N C H W], one signed value for each colour of each pixel.",
    ),
    Misconception(
        "largest_colour",
        _changed(lambda maps: maps.abs().amax(1)),
        "You took the largest |value| of the colours, as a saliency map does. This map keeps all of them: [N C H W].",
    ),
    Misconception(
        "divided_by_maximum",
        _changed(_over_maximum),
        "You divided each map by its largest |value|. The map is returned raw, so that two maps can be compared.",
    ),
    Misconception(
        "min_max",
        _changed(_min_max),
        "You scaled each map to [0, 1]. The map is returned raw, with its signs; scaling is for the picture only.",
    ),
    *(Misconception(name, _network(objective=function), told) for name, (function, told) in OBJECTIVES.items()),
)

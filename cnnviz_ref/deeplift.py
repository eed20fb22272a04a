"""DeepLIFT (Shrikumar et al. 2017): what each pixel's difference from a baseline adds to the score's difference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn

from cnnviz.shapes import ImageMap, Images, Targets
from cnnviz_ref._affine import Affine, Merge
from cnnviz_ref._mechanism import check_choice, check_images, check_targets, gradient, target_scores, undisturbed
from cnnviz_ref._propagation import Call, Propagating, Rule


def deeplift(
    model: nn.Module, images: Images, targets: Targets | int, *, baselines: Tensor | None = None, rule: str = "rescale"
) -> ImageMap:
    r"""How much of the difference of a class's score from that of a baseline each pixel accounts for.

    Formula:
        contributions $C_i = m_i \, \Delta x_i$ with $\sum_i C_i = y^c(x) - y^c(x^0)$ and $\Delta x = x - x^0$.
        Multipliers follow the chain rule: $w$ through a linear layer, and through $y = f(z)$
        Rescale: $m = \Delta y / \Delta z$, where $\Delta z$ is below rounding error the derivative;
        RevealCancel: $m^\pm = \Delta y^\pm / \Delta z^\pm$ with $\Delta z = \Delta z^+ + \Delta z^-$ the contributions
        of either sign from the linear layer before, and $\Delta y^\pm$ the effect of each averaged over both orders.
        A maximum's difference goes to the winner at $x$ if the maximum grew, at $x^0$ if it fell; through a product
        $a b$ of activations $m_a = (b + b^0) / 2$ and $m_b = (a + a^0) / 2$.

    Args:
        model, images, targets: As in every method (`help(cnnviz_ref)`); the model sees images and baselines in one
            batch of 2N.
        baselines: What the images are compared with, `[N C H W]` or `[1 C H W]`; zeros by default.
        rule: "rescale" or "revealcancel".

    Returns:
        Raw contributions `[N C H W]`, in units of the score.

    Raises:
        ValueError: An argument does not fit the model, or the model uses an operation that has no rule, that cannot
            be seen, or whose contributions do not sum to the difference.

    Paper: Shrikumar, Greenside, Kundaje, "Learning Important Features Through Propagating Activation Differences",
    2017.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(2, 1), nn.ReLU())
    >>> net[1].weight.data, net[1].bias.data = torch.tensor([[1.0, 1.0]]), torch.tensor([-1.0])
    >>> image, baseline = torch.tensor([[[[3.0, 1.0]]]]), torch.zeros(1, 1, 1, 2)
    >>> deeplift(net, image, torch.tensor([0]), baselines=baseline)  # y goes from 0 to 3 while z goes up by 4
    tensor([[[[2.2500, 0.7500]]]])
    """
    targets = check_targets(model, images, targets)
    x = images.detach()
    x0 = _check_baselines(model, x, torch.zeros_like(x[:1]) if baselines is None else baselines)
    check_choice("rule", rule, RULES)
    rules, merge = RULES[rule]
    with undisturbed(model, images):
        both = torch.cat([x, x0]).requires_grad_()
        mode = Propagating(model, rules, "deeplift", merge=partial(_apart, len(both), merge()))
        y, y0 = _halves(_scores(mode, both, targets))
        C = gradient(y.sum(), both, "images")[: len(x)] * (x - x0)
        if not _same(C.sum((1, 2, 3)), y - y0, C.abs().sum((1, 2, 3)) + y.abs() + y0.abs()):
            raise ValueError(_incomplete(model, rules, both, targets))
    return C


def _apart(n: int, merge: Callable[[Call], Call], call: Call) -> Call:
    """The call, merged, or a ValueError if a nonlinearity is given images that are not apart along the first axis."""
    for x in call.inputs if call.kind not in ("move", "scale", "affine") else ():
        if x.ndim == 0 or len(x) % n:
            raise ValueError(
                f"model: {call.where()} calls {call.name} on {list(x.shape)}, but deeplift needs image n at place n of "
                f"the first axis, with {n} places; keep the images apart there."
            )
    return merge(call)


def _scores(mode: Propagating, both: Tensor, targets: Tensor) -> Tensor:
    return target_scores(mode.scores(both), targets.repeat(2))


def rescale(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
    r"""$m \, \Delta y / \Delta z$ for $y = f(z)$ at each place by itself."""
    (z, z0), (y, y0) = _halves(inputs[0]), _halves(call.value)
    return (_with_zeros(_quotient(_halves(m)[0] * (y - y0), z, z0, _halves(call.pull(inputs, m)[0])[0])),)


def maximum(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
    r"""$m \Delta y$ goes to the winner at $x$ where $y > y^0$, at $x^0$ where $y < y^0$; windows may overlap."""
    y, y0 = _halves(call.value)
    C, grew = _halves(m)[0] * (y - y0), y > y0
    found = zip(call.pull(inputs, torch.cat([C * grew, C * ~grew])), call.pull(inputs, m), inputs, strict=True)
    return tuple(_with_zeros(_quotient(_both(c), *_halves(z), _halves(slope)[0])) for c, slope, z in found)


def product(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
    r"""$\Delta(a b) = \frac{b + b^0}{2} \Delta a + \frac{a + a^0}{2} \Delta b$: the slopes at the middle."""
    middle = tuple(torch.cat([_both(z) / 2] * 2) for z in inputs)
    return call.pull(middle, _with_zeros(_halves(m)[0]))


def reveal_cancel(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
    r"""Through $y = f(z)$ and the linear layer that made $z$, with positive and negative contributions apart.

    With $d = a - a^0$, $\Delta z^\pm = (\sum_i w_{ij} d_i \pm \sum_i |w_{ij}| |d_i|) / 2$; and $w_{ij} d_i$ is positive
    where the signs of $w_{ij}$ and $d_i$ agree, so
    $m_i = \frac{1}{2} \sum_j w_{ij} (m_j^+ + m_j^-) + \mathrm{sign}(d_i) |w_{ij}| (m_j^+ - m_j^-)$.
    """
    if call.affine is None:  # one part has either sign, so there is nothing to reveal
        return rescale(call, inputs, m)
    layer: Affine = call.affine
    n = len(m) // 2
    difference = [x[:n] - x[n:] for x in inputs]
    d = layer.read(tuple(_with_zeros(x) if layer.fixed else x for x in difference))
    z, z0 = _halves(call.arguments["z"])
    _, back = layer.having(layer.w)(d)
    size, back_size = layer.having(layer.w.abs())(d.abs())
    plus, minus = (z - z0 + size[:n]) / 2, (z - z0 - size[:n]) / 2
    y_plus, y_minus = _effects(call, z0, plus, minus)
    slope, m = _slope(call, z), m[:n]
    m_plus = m * _divided(y_plus, plus, z0.abs() + size[:n], slope)
    m_minus = m * _divided(y_minus, minus, z0.abs() + size[:n], slope)
    both, apart = m_plus + m_minus, m_plus - m_minus
    if layer.fixed:
        both, apart = _with_zeros(both), _with_zeros(apart)
    found = layer.unread((back(both) + d.sign() * back_size(apart)) / 2)
    return found if layer.fixed else tuple(map(_with_zeros, found))


def _scaled(call: Call, before: Call) -> Call:
    """A layer and one positive factor for all that it gives, such as dropout's 1, as one layer; else no layer."""
    with torch.no_grad():
        c = call.run(torch.ones_like(call.inputs[0])) - call.run(torch.zeros_like(call.inputs[0]))
    factor, layer = c.flatten()[0], before.affine
    if not (c == factor).all() or factor <= 0:
        return call
    scaled = replace(layer, apply=lambda a, w, b: factor * layer.apply(a, w, b))
    return replace(call, inputs=before.inputs, affine=scaled)


def _moved(call: Call, before: Call) -> Call:
    """A layer whose values go elsewhere as one layer."""
    layer = before.affine
    moved = replace(layer, apply=lambda a, w, b: call.run(layer.apply(a, w, b)), fixed=True)
    return replace(call, inputs=before.inputs, affine=moved)


def _effects(call: Call, z0: Tensor, plus: Tensor, minus: Tensor) -> tuple[Tensor, Tensor]:
    r"""$\Delta y^+$ and $\Delta y^-$: each sign's effect, added first and added last, averaged."""
    f = call.arguments["f"]
    start, first_plus, first_minus, end = f(z0), f(z0 + plus), f(z0 + minus), f(z0 + plus + minus)
    y_plus = ((first_plus - start) + (end - first_minus)) / 2
    y_minus = ((first_minus - start) + (end - first_plus)) / 2
    return y_plus, y_minus


def _slope(call: Call, z: Tensor) -> Tensor:
    with torch.enable_grad():
        leaf = z.detach().requires_grad_()
        return torch.autograd.grad(call.arguments["f"](leaf).sum(), leaf)[0]


class MergeNonlinearity(Merge):
    """Also merges a nonlinearity with the linear layer before it."""

    def not_affine(self, call: Call) -> Call:
        """A nonlinearity as a function of what the layer before it reads; what lies between belongs to the layer."""
        before = call.before
        if before is None or before.affine is None or before.kind not in ("affine", "scale", "move"):
            return call
        if call.kind in ("relu", "elementwise"):
            found = {"f": call.run, "z": call.inputs[0].detach()}
            return replace(call, inputs=before.inputs, arguments=found, affine=before.affine)
        if call.kind == "scale":
            return _scaled(call, before)
        return _moved(call, before) if call.kind == "move" and len(call.inputs) == 1 and call.name != "pad" else call


def _halves(t: Tensor) -> tuple[Tensor, Tensor]:
    """Of the images and of the baselines."""
    n = len(t) // 2
    return t[:n], t[n:]


def _both(t: Tensor) -> Tensor:
    return t[: len(t) // 2] + t[len(t) // 2 :]


def _with_zeros(m: Tensor) -> Tensor:
    return torch.cat([m, torch.zeros_like(m)])


def _quotient(C: Tensor, z: Tensor, z0: Tensor, otherwise: Tensor) -> Tensor:
    r"""$C / \Delta z$, and `otherwise` where $\Delta z$ is below rounding error."""
    small = (z - z0).abs() <= torch.finfo(z.dtype).eps * torch.maximum(z.abs(), z0.abs())
    return torch.where(small, otherwise, C / torch.where(small, 1, z - z0))


def _divided(dy: Tensor, dz: Tensor, size: Tensor, otherwise: Tensor) -> Tensor:
    small = dz.abs() <= torch.finfo(dz.dtype).eps * size
    return torch.where(small, otherwise, dy / torch.where(small, 1, dz))


_RESCALE: dict[str, Rule | None] = {
    **dict.fromkeys(("move", "scale", "affine")),
    **dict.fromkeys(("relu", "elementwise"), rescale),
    "max": maximum,
    "product": product,
}
RULES: dict[str, tuple[dict[str, Rule | None], Callable[[], Callable[[Call], Call]]]] = {
    "rescale": (_RESCALE, lambda: lambda call: call),
    "revealcancel": ({**_RESCALE, **dict.fromkeys(("relu", "elementwise"), reveal_cancel)}, MergeNonlinearity),
}
"""Rule -> the rules of operations, None for the plain derivative, and what merges calls."""


def _same(a: Tensor, b: Tensor, size: Tensor) -> bool:
    return bool(((a - b).abs() <= torch.finfo(a.dtype).eps ** 0.5 * size).all())


def _incomplete(model: nn.Module, rules: dict[str, Rule | None], both: Tensor, targets: Tensor) -> str:
    """Which operation of a model gives its inputs another sum than it was given."""
    lost: list[str] = []

    def checked(rule: Rule | None) -> Rule:
        def check(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
            found = (rule or Call.pull)(call, inputs, m)
            given = torch.stack([_contribution(*pair) for pair in zip(found, inputs, strict=True)])
            arriving = _contribution(m, call.value)
            if not _same(given.sum(), arriving, given.abs().sum() + arriving.abs()):
                lost.append(f"{call.where()} calls {call.name}")
            return found

        return check

    def placed(call: Call) -> Call:
        place = call.where()
        return replace(call, where=lambda: place)

    mode = Propagating(model, {kind: checked(rule) for kind, rule in rules.items()}, "deeplift", merge=placed)
    gradient(_scores(mode, both, targets)[: len(targets)].sum(), both, "images")
    what = lost[0] if lost else "it computes something outside torch's functions"
    return (
        f"model: {what}, where the contributions no longer sum to the difference of the scores (a detached value or a "
        f"mask takes part, or the images of the batch are not apart along the first axis); write it otherwise."
    )


def _contribution(m: Tensor, z: Tensor) -> Tensor:
    (m, _), (z, z0) = _halves(m), _halves(z)
    return (m * (z - z0)).sum()


def _check_baselines(model: nn.Module, x: Tensor, baselines: object) -> Tensor:
    if not isinstance(baselines, Tensor) or baselines.shape not in (x.shape, x[:1].shape):
        got = list(baselines.shape) if isinstance(baselines, Tensor) else type(baselines).__name__
        raise ValueError(
            f"baselines: got {got}, needs a tensor {list(x.shape)} or {list(x[:1].shape)}; give one per image."
        )
    try:
        check_images(model, baselines)
    except ValueError as error:
        raise ValueError(str(error).replace("images", "baselines")) from None
    return baselines.detach().expand_as(x)

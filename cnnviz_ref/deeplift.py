"""DeepLIFT (Shrikumar et al. 2017): what each pixel's difference from a baseline adds to the score's difference."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnviz.shapes import ImageMap, Images, Targets
from cnnviz_ref._affine import AFFINE, Affine, Merge
from cnnviz_ref._mechanism import check_images, check_scores, check_targets, target_scores, undisturbed
from cnnviz_ref._propagation import Call, Propagating, Rule, producer


def deeplift(
    model: nn.Module, images: Images, targets: Targets, *, baselines: Tensor | None = None, rule: str = "rescale"
) -> ImageMap:
    r"""How much of the difference of a class's score from that of a baseline each pixel accounts for.

    Formula:
        contributions $C_i = m_i \, \Delta x_i$ with $\sum_i C_i = y^c(x) - y^c(x^0)$ and $\Delta x = x - x^0$.
        Multipliers follow the chain rule: $w$ through a linear layer, and through $y = f(z)$
        Rescale: $m = \Delta y / \Delta z$, where $\Delta z$ is below rounding error the derivative;
        RevealCancel: $m^\pm = \Delta y^\pm / \Delta z^\pm$ with $\Delta z = \Delta z^+ + \Delta z^-$ the contributions
        of either sign from the linear layer before, and $\Delta y^\pm$ the effect of each averaged over both orders.
        A max-pool's difference goes to the winner at $x$ if the maximum grew, at $x^0$ if it fell.

    Args:
        model: Returns scores `[N classes]`; evaluated in eval mode and left as found. It sees images and baselines in
            one batch of 2N.
        images: `[N C H W]`, floats of the model's dtype on its device.
        targets: int64 `[N]`, the class to explain in each image.
        baselines: What the images are compared with, `[N C H W]` or `[1 C H W]`; zeros by default.
        rule: "rescale" or "revealcancel".

    Returns:
        Raw contributions `[N C H W]`, in units of the score.

    Raises:
        ValueError: An argument does not fit the model, or the model uses an operation that has no rule.

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
    check_images(model, images)
    check_targets(targets, len(images))
    x = images.detach()
    x0 = _check_baselines(model, x, torch.zeros_like(x[:1]) if baselines is None else baselines)
    if rule not in RULES:
        raise ValueError(f"rule: got {rule!r}, needs one of {', '.join(map(repr, RULES))}; choose one of them.")
    rules, merge = RULES[rule]
    with undisturbed(model):
        both = torch.cat([x, x0]).requires_grad_()
        with Propagating(rules, complete="deeplift", merge=merge()) as mode:
            scores = mode.current(model(both))
        y = target_scores(check_scores(scores, len(both))[: len(x)], targets)
        y0 = target_scores(scores.detach()[len(x) :], targets)
        m = torch.autograd.grad(y.sum(), both)[0][: len(x)]
    return _complete(m * (x - x0), y.detach(), y0)


def _complete(C: Tensor, y: Tensor, y0: Tensor) -> Tensor:
    """The contributions, or a ValueError where they do not sum to the difference: the model hid an operation."""
    excess = (C.sum((1, 2, 3)) - (y - y0)).abs()
    rounding = torch.finfo(C.dtype).eps ** 0.5 * (C.abs().sum((1, 2, 3)) + y.abs() + y0.abs())
    if (excess > rounding).any():
        got = f"{C.sum((1, 2, 3)).tolist()}, but the scores differ by {(y - y0).tolist()}"
        raise ValueError(
            f"model: contributions sum to {got}; an operation of the model mixes samples or hides its input."
        )
    return C


def rescale(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
    r"""$m \, \Delta y / \Delta z$ for $y = f(z)$ at each place by itself."""
    (z, z0), (y, y0) = _halves(inputs[0]), _halves(call.run(*inputs))
    return (_with_zeros(_quotient(_halves(m)[0] * (y - y0), z, z0, _halves(call.pull(inputs, m)[0])[0])),)


def max_pool(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
    r"""$m \Delta y$ goes to the winner at $x$ where $y > y^0$, at $x^0$ where $y < y^0$; windows may overlap."""
    (z, z0), (y, y0) = _halves(inputs[0]), _halves(call.run(*inputs))
    C = _halves(m)[0] * (y - y0)
    grew = y > y0
    C, C0 = _halves(call.pull(inputs, torch.cat([C * grew, C * ~grew]))[0])
    return (_with_zeros(_quotient(C + C0, z, z0, _halves(call.pull(inputs, m)[0])[0])),)


def reveal_cancel(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
    r"""Through $y = f(z)$ and the linear layer that made $z$, with positive and negative contributions apart.

    With $d = a - a^0$, $\Delta z^\pm = (\sum_i w_{ij} d_i \pm \sum_i |w_{ij}| |d_i|) / 2$; and $w_{ij} d_i$ is positive
    where the signs of $w_{ij}$ and $d_i$ agree, so
    $m_i = \frac{1}{2} \sum_j w_{ij} (m_j^+ + m_j^-) + \mathrm{sign}(d_i) |w_{ij}| (m_j^+ - m_j^-)$.
    """
    layer: Affine | None = call.affine
    if layer is None:  # one part has either sign, so there is nothing to reveal
        return rescale(call, inputs, m)
    a = layer.read(inputs)
    batch = 1 if layer.stacked else 0
    a, a0 = a.chunk(2, dim=batch)
    z, z0 = _halves(call.arguments["z"])
    _, back = layer.having(layer.w)(a - a0)
    size, back_size = layer.having(layer.w.abs())((a - a0).abs())
    plus, minus = (z - z0 + size) / 2, (z - z0 - size) / 2
    y_plus, y_minus = _effects(call, z0, plus, minus)
    m, slope = _halves(m)[0], _slope(call, z)
    m_plus = m * _divided(y_plus, plus, z0.abs() + size, slope)
    m_minus = m * _divided(y_minus, minus, z0.abs() + size, slope)
    both, apart = back(m_plus + m_minus), back_size(m_plus - m_minus)
    m_a = (both + (a - a0).sign() * apart) / 2
    return layer.unread(torch.cat([m_a, torch.zeros_like(m_a)], dim=batch), inputs)


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


class MergeReLU(Merge):
    """Also merges a ReLU with the linear layer before it."""

    def _relu(self, call: Call) -> Call:
        before, f = _layer_before(call), call.run
        if before is None:
            return call
        return Call(call.name, before.inputs, f, {"f": f, "z": call.inputs[0].detach()}, before.affine)

    _hardtanh = _relu


def _layer_before(call: Call) -> Call | None:
    before = producer(call.inputs[0])
    return before if before is not None and before.name in AFFINE and before.affine is not None else None


def linear(call: Call, inputs: tuple[Tensor, ...], m: Tensor) -> tuple[Tensor, ...]:
    r"""$m_i = \sum_j w_{ij} m_j$."""
    if call.affine is None:
        return call.pull(inputs, m)
    return call.affine.unread(call.affine(call.affine.read(inputs))[1](m), inputs)


def _halves(t: Tensor) -> tuple[Tensor, Tensor]:
    """Of the images and of the baselines."""
    n = len(t) // 2
    return t[:n], t[n:]


def _with_zeros(m: Tensor) -> Tensor:
    return torch.cat([m, torch.zeros_like(m)])


def _quotient(C: Tensor, z: Tensor, z0: Tensor, otherwise: Tensor) -> Tensor:
    r"""$C / \Delta z$, and `otherwise` where $\Delta z$ is below rounding error."""
    small = (z - z0).abs() <= torch.finfo(z.dtype).eps * torch.maximum(z.abs(), z0.abs())
    return torch.where(small, otherwise, C / torch.where(small, 1, z - z0))


def _divided(dy: Tensor, dz: Tensor, size: Tensor, otherwise: Tensor) -> Tensor:
    small = dz.abs() <= torch.finfo(dz.dtype).eps * size
    return torch.where(small, otherwise, dy / torch.where(small, 1, dz))


_MOVES: dict[str, Rule | None] = dict.fromkeys(("scale", "dropout", "cat", "reshape"))
_SHARED: dict[str, Rule | None] = {**_MOVES, "relu": rescale, "hardtanh": rescale, "max_pool2d": max_pool}


class _Unmerged:
    """Every call stays as it is."""

    def __call__(self, call: Call) -> Call:
        return call


RULES: dict[str, tuple[dict[str, Rule | None], type[Merge] | type[_Unmerged]]] = {
    "rescale": ({**_SHARED, **dict.fromkeys((*AFFINE, "pad"))}, _Unmerged),
    "revealcancel": (
        {
            **_SHARED,
            **dict.fromkeys(AFFINE, linear),
            "pad": Call.pull,
            "relu": reveal_cancel,
            "hardtanh": reveal_cancel,
        },
        MergeReLU,
    ),
}
"""Rule -> the rules of operations, None for the plain derivative, and what merges calls."""


def _check_baselines(model: nn.Module, x: Tensor, baselines: object) -> Tensor:
    if not isinstance(baselines, Tensor) or baselines.shape not in (x.shape, x[:1].shape):
        got = list(baselines.shape) if isinstance(baselines, Tensor) else type(baselines).__name__
        raise ValueError(
            f"baselines: got {got}, needs a tensor {list(x.shape)} or {list(x[:1].shape)}; give one an image."
        )
    try:
        check_images(model, baselines)
    except ValueError as error:
        raise ValueError(str(error).replace("images", "baselines")) from None
    return baselines.detach().expand_as(x)

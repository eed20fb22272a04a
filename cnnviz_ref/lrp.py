"""Layer-wise relevance propagation (Bach et al. 2015): a score passed back, layer by layer, to the pixels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from cnnviz.shapes import ImageMap, Images, Targets
from cnnviz_ref._affine import Affine, Back, Merge
from cnnviz_ref._mechanism import check_choice, check_targets, gradient, target_scores, undisturbed
from cnnviz_ref._propagation import Call, Propagating, Rule

Spread: TypeAlias = Callable[[Affine, Tensor, Tensor, Tensor], Tensor]
"""`layer, a, z as the network computed it, R of z -> R of a`."""
Part: TypeAlias = Callable[[Tensor], Tensor]
Bound: TypeAlias = float | Tensor | None


def lrp(
    model: nn.Module,
    images: Images,
    targets: Targets | int,
    *,
    rule: str = "epsilon",
    epsilon: float = 1e-9,
    gamma: float = 0.25,
    alpha: float = 2.0,
    low: Bound = None,
    high: Bound = None,
) -> ImageMap:
    r"""How much of a class's score each pixel is answerable for.

    Formula:
        $R_i = \sum_j \frac{q_{ij}}{\sum_i q_{ij}} R_j$ from $R = y^c$ at the target and 0 elsewhere. What a layer
        $z_j = \sum_i a_i w_{ij} + b_j$ takes for $q_{ij}$ stands at each rule's function below; the bias takes part in
        the sum over $i$ (not in z_plus's negative side, w_square, flat and zB), so it keeps a share: relevance sums to
        the score only where there are no biases. Nonlinearities pass relevance on; a maximum gives it to the winner; an
        average and a residual sum are layers of weights 1. BatchNorm is merged with the convolution before it. A
        product of a signal and a gate gives all to the signal, another product half to each.

    Args:
        model, images, targets: As in every method (`help(cnnviz_ref)`).
        rule: "zero", "epsilon", "gamma", "alpha_beta", "z_plus", "w_square", "flat", or "composite": zB in the first
            layer, gamma in the middle, epsilon in the last quarter.
        epsilon: Share of the layer's mean $|z|$ that is added to the denominator ("epsilon", "composite").
        gamma: How much positive contributions are favoured ("gamma", "composite").
        alpha: Weight of the positive contributions; $\beta = \alpha - 1$ ("alpha_beta").
        low: Least value that a pixel can have, a number or a tensor that broadcasts ("composite"); each image's least.
        high: Greatest value, likewise.

    Returns:
        Raw relevance `[N C H W]`, in units of the score.

    Raises:
        ValueError: An argument does not fit the model, or the model uses an operation that has no rule or cannot be
            seen.

    Paper: Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance
    Propagation", 2015; Montavon et al., "Layer-Wise Relevance Propagation: An Overview", 2019.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(3, 1, bias=False))
    >>> _ = net[1].weight.data.copy_(torch.tensor([[1.0, -1.0, 2.0]]))
    >>> image = torch.tensor([[[[2.0, 3.0, 1.0]]]])
    >>> lrp(net, image, torch.tensor([0]), rule="zero")  # a w, as y = 2 - 3 + 2 = 1
    tensor([[[[ 2., -3.,  2.]]]])
    >>> lrp(net, image, torch.tensor([0]), rule="z_plus")
    tensor([[[[0.5000, 0.0000, 0.5000]]]])
    """
    targets = check_targets(model, images, targets)
    _check_options(epsilon=epsilon, gamma=gamma, alpha=alpha)
    merge = Merge()
    spreads: dict[str, Spread] = {
        "zero": zero,
        "epsilon": partial(epsilon_rule, epsilon=epsilon),
        "gamma": partial(gamma_rule, gamma=gamma),
        "alpha_beta": partial(alpha_beta, alpha=alpha),
        "z_plus": partial(alpha_beta, alpha=1.0),
        "w_square": w_square,
        "flat": flat,
        "composite": partial(composite, depth=merge, epsilon=epsilon, gamma=gamma, low=low, high=high),
    }
    check_choice("rule", rule, spreads)
    return propagated(model, images, targets, spreads[rule], merge)


def propagated(model: nn.Module, images: Tensor, targets: Tensor, spread: Spread, merge: Merge) -> Tensor:
    """The relevance of the images where every layer shares it by `spread`."""
    with undisturbed(model, images):
        x = images.detach().clone().requires_grad_()
        scores = Propagating(model, {**RULES, "affine": _through_layer(spread)}, "lrp", merge=merge).scores(x)
        y = target_scores(scores, targets)
        return gradient(y, x, "images", start=y.detach())


def zero(layer: Affine, a: Tensor, z: Tensor, R: Tensor) -> Tensor:
    r"""$q_{ij} = a_i w_{ij}$."""
    return a * layer.back(a)(share(R, z))


def epsilon_rule(layer: Affine, a: Tensor, z: Tensor, R: Tensor, *, epsilon: float) -> Tensor:
    r"""$q_{ij} = a_i w_{ij}$ over $z_j + \epsilon \, \mathrm{sign}(z_j) \, \mathrm{mean}|z|$, mean of each image."""
    scale = z.abs().flatten(1).mean(dim=1).view(-1, *[1] * (z.ndim - 1))
    return a * layer.back(a)(share(R, z + epsilon * scale * torch.where(z < 0, -1.0, 1.0).to(z.dtype)))


def gamma_rule(layer: Affine, a: Tensor, z: Tensor, R: Tensor, *, gamma: float) -> Tensor:
    r"""$q_{ij} = a_i w_{ij} + \gamma (a_i w_{ij})^+$ where $z_j > 0$, with $(\cdot)^-$ where $z_j < 0$.

    After and before a ReLU, where all $a_i \ge 0$ and $R_j = 0$ unless $z_j > 0$, this is the paper's
    $a_i (w_{ij} + \gamma w_{ij}^+)$.
    """
    if not (a < 0).any() and not R[z <= 0].any():
        b = None if layer.b is None else layer.b + gamma * above(layer.b)
        z, back = layer.having(layer.w + gamma * above(layer.w), b)(a)
        return a * back(share(R, z))
    plus, back_plus = positive(layer, a)
    minus, back_minus = negative(layer, a)
    s = share(R, z + gamma * torch.where(z > 0, plus, minus))
    return a * layer.back(a)(s) + gamma * (back_plus(s * (z > 0)) + back_minus(s * (z <= 0)))


def alpha_beta(layer: Affine, a: Tensor, z: Tensor, R: Tensor, *, alpha: float) -> Tensor:
    r"""$\alpha$ times the shares by $(a_i w_{ij})^+$ less $\beta = \alpha - 1$ times those by $(a_i w_{ij})^-$.

    An average or a sum has no weights, and after ReLUs no negative side: it would return $\alpha R$. For
    $\alpha > 1$ it shares in proportion to its parts.
    """
    if alpha > 1 and not layer.w.ndim and not layer.unknown:
        return zero(layer, a, z, R)
    z, back = positive(layer, a)
    R_plus = alpha * back(share(R, z))
    if alpha == 1:
        return R_plus
    z, back = negative(layer, a)
    return R_plus - (alpha - 1) * back(share(R, z))


def w_square(layer: Affine, a: Tensor, _z: Tensor, R: Tensor) -> Tensor:
    r"""$q_{ij} = w_{ij}^2$."""
    z, back = layer.having(layer.w**2)(torch.ones_like(a))
    return back(share(R, z))


def flat(layer: Affine, a: Tensor, _z: Tensor, R: Tensor) -> Tensor:
    r"""$q_{ij} = 1$ for every input that output j reads."""
    z, back = layer.having(torch.ones_like(layer.w))(torch.ones_like(a))
    return back(share(R, z))


def z_box(layer: Affine, a: Tensor, R: Tensor, *, low: Bound = None, high: Bound = None) -> Tensor:
    r"""zB: $q_{ij} = a_i w_{ij} - l_i w_{ij}^+ - h_i w_{ij}^-$ for pixels in $[l, h]$."""
    pixels = tuple(range(1, a.ndim))
    l = _bound(a.amin(pixels, keepdim=True) if low is None else low, a)
    h = _bound(a.amax(pixels, keepdim=True) if high is None else high, a)
    if (a < l).any() or (a > h).any():
        got = f"[{l.min().item():g}, {h.max().item():g}]"
        raise ValueError(f"low, high: got {got}, but pixels go from {a.min():g} to {a.max():g}; enclose these.")
    z, back = layer.having(layer.w)(a)  # without the bias
    z_low, back_low = layer.having(layer.w.clamp(min=0))(l)
    z_high, back_high = layer.having(layer.w.clamp(max=0))(h)
    s = share(R, z - z_low - z_high)
    return a * back(s) - l * back_low(s) - h * back_high(s)


def composite(
    layer: Affine,
    a: Tensor,
    z: Tensor,
    R: Tensor,
    *,
    depth: Merge,
    epsilon: float,
    gamma: float,
    low: Bound,
    high: Bound,
) -> Tensor:
    """zB in the first weighted layer, epsilon in the last quarter of them, gamma between."""
    if layer.index == 0 and layer.w.ndim > 1:
        return z_box(layer, a, R, low=low, high=high)
    if layer.index + 1 > 0.75 * depth.layers:
        return epsilon_rule(layer, a, z, R, epsilon=epsilon)
    return gamma_rule(layer, a, z, R, gamma=gamma)


def positive(layer: Affine, a: Tensor) -> tuple[Tensor, Back]:
    r"""$\sum_i (a_i w_{ij})^+ + b_j^+$, and $s_j \mapsto \sum_j (a_i w_{ij})^+ s_j$."""
    return _of_one_sign(layer, a, above, below)


def negative(layer: Affine, a: Tensor) -> tuple[Tensor, Back]:
    r"""$\sum_i (a_i w_{ij})^- + b_j^-$, and $s_j \mapsto \sum_j (a_i w_{ij})^- s_j$."""
    return _of_one_sign(layer, a, below, above)


def above(t: Tensor) -> Tensor:
    """$t^+$."""
    return t.clamp(min=0)


def below(t: Tensor) -> Tensor:
    """$t^-$."""
    return t.clamp(max=0)


def _of_one_sign(layer: Affine, a: Tensor, side: Part, other: Part) -> tuple[Tensor, Back]:
    """The sign of `a` decides which weights it meets: `a+ side(w) + a- other(w) + side(b)`."""
    up, down = above(a), below(a)
    z, back = layer.having(side(layer.w), None if layer.b is None else side(layer.b))(up)
    if not down.any():  # after a ReLU
        return z, lambda s: up * back(s)
    z_down, back_down = layer.having(other(layer.w))(down)
    return z + z_down, lambda s: up * back(s) + down * back_down(s)


def share(R: Tensor, z: Tensor) -> Tensor:
    """`R / z`, and 0 where nothing contributes."""
    return torch.where(z == 0, 0, R / torch.where(z == 0, 1, z))


def _through_layer(spread: Spread) -> Rule:
    def rule(call: Call, inputs: tuple[Tensor, ...], R: Tensor) -> tuple[Tensor, ...]:
        layer: Affine = call.affine
        return layer.unread(spread(layer, layer.read(inputs), call.value, R))

    return rule


def _unchanged(_call: Call, _inputs: tuple[Tensor, ...], R: Tensor) -> tuple[Tensor, ...]:
    return (R,)


def product(call: Call, inputs: tuple[Tensor, ...], R: Tensor) -> tuple[Tensor, ...]:
    r"""$z = a b$: all to $a$ where $b$ is a gate, half to each where neither is or both are.

    A gate comes from a sigmoid and its partner does not, or else is the smaller one, spread over its partner.
    """
    s = call.pull(inputs, share(R, call.value))
    return tuple(part * x * g for part, x, g in zip(_parts(call, inputs), inputs, s, strict=True))


def _parts(call: Call, inputs: tuple[Tensor, ...]) -> tuple[float, float]:
    gates = call.arguments["gates"]
    a, b = ((not gate, x.numel()) for gate, x in zip(gates, inputs, strict=True))
    return (0.5, 0.5) if a == b else (1.0, 0.0) if a > b else (0.0, 1.0)


RULES: dict[str, Rule | None] = {
    **dict.fromkeys(("relu", "elementwise", "scale"), _unchanged),
    "product": product,
    "max": None,
    "move": None,
}
"""Operations without weights; None is the plain derivative, which moves relevance to where the value came from."""


def _bound(value: float | Tensor, a: Tensor) -> Tensor:
    return torch.as_tensor(value, dtype=a.dtype, device=a.device).expand_as(a)


def _check_options(*, epsilon: float, gamma: float, alpha: float) -> None:
    for name, value, least in (("epsilon", epsilon, 0), ("gamma", gamma, 0), ("alpha", alpha, 1)):
        if not least <= value < float("inf"):
            raise ValueError(f"{name}: got {value!r}, needs a finite number from {least}; see the formula.")

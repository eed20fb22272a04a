"""Guided backpropagation (Springenberg et al. 2015) and, for contrast, the deconvnet (Zeiler & Fergus 2014)."""

from __future__ import annotations

from torch import Tensor, nn

from cnnviz.shapes import ImageMap, Images, Targets
from cnnviz_ref._mechanism import check_choice, check_targets, gradient, target_scores, undisturbed
from cnnviz_ref._propagation import Arriving, Call, Propagating, Rule


def guided_backprop(model: nn.Module, images: Images, targets: Targets | int, *, rule: str = "guided") -> ImageMap:
    r"""The gradient of a class's score when every ReLU lets only positive signals back.

    Formula:
        at every ReLU $y = \max(x, 0)$, with $R$ arriving from above,
        guided: $R \leftarrow [x > 0] \, [R > 0] \, R$; deconvnet: $R \leftarrow [R > 0] \, R$;
        a plain gradient would be $[x > 0] \, R$. For ReLU6, read $[0 < x < 6]$. What is linear, a maximum, a product or
        a normalisation keeps its derivative; another nonlinearity, for which the papers define nothing, is an error.

    Args:
        model, images, targets: As in every method (`help(cnnviz_ref)`); ReLUs may be modules, functions, in place, one
            module used often, or written otherwise (`x * (x > 0)`).
        rule: "guided" or "deconvnet".

    Returns:
        Raw maps `[N C H W]` of both signs, on the images' grid; not normalised.

    Raises:
        ValueError: An argument does not fit the model, there is no such rule, or the model has another nonlinearity
            than ReLU or an operation that cannot be seen.

    Paper: Springenberg et al., "Striving for Simplicity: The All Convolutional Net", 2015; Zeiler & Fergus,
    "Visualizing and Understanding Convolutional Networks", 2014.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(4, 1, bias=False))
    >>> _ = net[2].weight.data.copy_(torch.tensor([[1.0, -2.0, 3.0, -4.0]]))
    >>> image = torch.tensor([[[[5.0, 5.0, -5.0, -5.0]]]])
    >>> guided_backprop(net, image, torch.tensor([0]))
    tensor([[[[1., 0., 0., 0.]]]])
    >>> guided_backprop(net, image, torch.tensor([0]), rule="deconvnet")
    tensor([[[[1., 0., 3., 0.]]]])
    """
    targets = check_targets(model, images, targets)
    check_choice("rule", rule, RULES)
    with undisturbed(model, images):
        x = images.detach().clone().requires_grad_()
        scores = Propagating(model, {**PLAIN, "relu": RULES[rule]}, "guided_backprop").scores(x)
        y = target_scores(scores, targets)
        return gradient(y.sum(), x, "images")


def keep_positive(R: Tensor) -> Tensor:
    """Keeps what is positive in the signal: `[R > 0] R`."""
    return R.clamp(min=0)


def deconvnet(_call: Call, _inputs: tuple[Tensor, ...], R: Tensor) -> tuple[Tensor, ...]:
    """The same, whatever the forward value was: the derivative `[x > 0]` is left out."""
    return (keep_positive(R),)


PLAIN: dict[str, None] = dict.fromkeys(("move", "scale", "affine", "max", "product", "norm"))
"""The operations that keep their derivative."""
RULES: dict[str, Rule | Arriving] = {"guided": Arriving(keep_positive), "deconvnet": deconvnet}

"""Saliency map (Simonyan et al. 2013): how strongly the score of a class reacts to each pixel."""

from __future__ import annotations

from torch import Tensor, nn

from cnnviz.shapes import ImageMap, Images, PixelMap, Targets
from cnnviz_ref._mechanism import check_choice, check_targets, gradient, target_scores, undisturbed

FORMS = ("abs_max", "squared")


def saliency(model: nn.Module, images: Images, targets: Targets | int, *, form: str = "abs_max") -> PixelMap:
    r"""How much the score of a class changes when one pixel changes a little.

    Formula:
        $M_{ij} = \max_c \left| \frac{\partial y}{\partial I_{cij}} \right|$, the maximum over the colour channels $c$;
        with `form="squared"`, $M_{ij} = \max_c \left( \frac{\partial y}{\partial I_{cij}} \right)^2$.
        $y$ is the target's score before softmax.

    Args:
        model, images, targets: As in every method (`help(cnnviz_ref)`).
        form: "abs_max" or "squared".

    Returns:
        Raw maps `[N H W]`, never negative, not normalised.

    Raises:
        ValueError: An argument does not fit the model; the sentence says which and what is allowed.

    Paper: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks: Visualising Image Classification Models
    and Saliency Maps", 2013.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    >>> _ = net[1].weight.data.copy_(torch.tensor([[1.0, -2.0, -3.0, 0.5]]))
    >>> image = torch.zeros(1, 2, 1, 2)  # colours [1 -2] and [-3 0.5]
    >>> saliency(net, image, torch.tensor([0]))
    tensor([[[3., 2.]]])
    """
    check_choice("form", form, FORMS)
    dI = image_gradient(model, images, targets)
    return strongest_colour(dI) if form == "abs_max" else strongest_colour(dI) ** 2


def image_gradient(model: nn.Module, images: Images, targets: Targets | int) -> ImageMap:
    r"""$\partial y / \partial I$, signed and for every colour: `[N C H W]`, detached. Errors as in `saliency`."""
    targets = check_targets(model, images, targets)
    with undisturbed(model, images):
        I = images.detach().clone().requires_grad_()
        scores = model(I.clone())  # the clone: a network may write into its input
        return gradient(target_scores(scores, targets).sum(), I, "model")


def strongest_colour(dI: ImageMap) -> Tensor:
    """The largest absolute value over the colours: `[N C H W] -> [N H W]`."""
    return dI.abs().amax(dim=1)

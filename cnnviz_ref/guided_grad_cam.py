"""Guided Grad-CAM (Selvaraju et al. 2017): the fine detail of guided backprop where Grad-CAM sees the class."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.shapes import ImageMap, Images, Map, Targets
from cnnviz_ref._axes import Following
from cnnviz_ref._mechanism import (
    Layer,
    check_grid,
    check_output,
    check_targets,
    gradient,
    hooked,
    layer_name,
    not_run,
    target_scores,
    undisturbed,
)
from cnnviz_ref._propagation import Arriving, Propagating
from cnnviz_ref.grad_cam import neuron_importance, weighted_sum
from cnnviz_ref.guided_backprop import PLAIN, keep_positive


def guided_grad_cam(model: nn.Module, images: Images, targets: Targets | int, layer: Layer = None) -> ImageMap:
    r"""Guided backpropagation, weighted at each pixel by the class's Grad-CAM map.

    Formula:
        $G_{cij} = R_{cij} \, U(L^c)_{ij}$, with $R$ the guided backpropagation of $y^c$ to the image, $L^c$ the
        Grad-CAM map of the layer from plain gradients, and $U$ bilinear upsampling (`align_corners=False`).

    Args:
        model, images, targets, layer: As in every method (`help(cnnviz_ref)`); the layer gives maps `[N K h w]`.

    Returns:
        Raw maps `[N C H W]` of both signs, on the images' grid; not normalised.

    Raises:
        ValueError: An argument does not fit the model; the sentence says which and what is allowed.

    Paper: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(4, 1, bias=False))
    >>> _ = net[2].weight.data.copy_(torch.tensor([[1.0, -2.0, 3.0, 4.0]]))
    >>> image = torch.tensor([[[[1.0, 1.0, -1.0, 2.0]]]])
    >>> guided_grad_cam(net, image, torch.tensor([0]), "0")  # R = [1 0 0 4], alpha = 6 / 4, L = alpha [1 1 0 2]
    tensor([[[[ 1.5000,  0.0000,  0.0000, 12.0000]]]])
    """
    R, A, dA = guided_and_clean(model, images, targets, layer)
    L = weighted_sum(neuron_importance(dA), A).relu()
    return R * upsampled(L, (images.shape[2], images.shape[3]))[:, None]


def guided_and_clean(
    model: nn.Module, images: Images, targets: Targets | int, layer: Layer
) -> tuple[ImageMap, Tensor, Tensor]:
    """Guided `R` at the images, and `A^k` with its plain gradient at the layer, from one forward pass.

    Arguments and errors are those of `guided_grad_cam`.
    """
    targets, layer = check_targets(model, images, targets), layer_name(model, layer, images)
    kept: list[Tensor] = []
    guide, following = _Guide(), Following()
    with undisturbed(model, images):
        x = images.detach().clone().requires_grad_()
        mode = Propagating(model, {**PLAIN, "relu": Arriving(guide)}, "guided_grad_cam")
        with hooked(model, layer, lambda _module, _inputs, output: kept.append(mode.current(output))):
            scores = mode.scores(following.start(x), inside=following)
        if not kept:
            raise ValueError(not_run(layer))
        A = check_output(kept[-1], layer)
        following.check(A, layer)
        check_grid(A, layer)
        y = target_scores(scores, targets).sum()
        dA = gradient(y, A, f"layer {layer!r}", again=True)
        guide.on = True
        return gradient(y, x, "images"), A.detach(), dA


def upsampled(L: Map, size: tuple[int, int]) -> Tensor:
    """Bilinear, pixel centres aligned: `[N h w] -> [N H W]`."""
    return F.interpolate(L[:, None], size, mode="bilinear", align_corners=False)[:, 0]


class _Guide:
    """The guided rule, once it is switched on; before, the plain derivative."""

    on = False

    def __call__(self, R: Tensor) -> Tensor:
        return keep_positive(R) if self.on else R

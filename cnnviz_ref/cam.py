"""CAM (Zhou et al. 2016): the map that a network with global average pooling and one linear layer already contains."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz.shapes import Activations, ChannelWeights, Images, Map, Scores, Targets
from cnnviz_ref._mechanism import Layer, check_grid, check_targets, layer_name, run_from, target_scores, undisturbed


def cam(model: nn.Module, images: Images, targets: Targets | int, layer: Layer = None) -> Map:
    r"""How much each position of the last feature maps contributes to the score of a class.

    Formula:
        $M^c_{ij} = \sum_k w_k^c A^k_{ij}$, with $A^k$ the layer's maps and $w^c$ the class's row of the linear layer.
        No ReLU and no bias, so that $\frac{1}{Z} \sum_{ij} M^c_{ij} + b_c = y^c$.

    Args:
        model, images, targets, layer: As in every method (`help(cnnviz_ref)`); the model scores by global average
            pooling of the layer's maps `[N K h w]` and one linear layer.

    Returns:
        Raw maps `[N h w]` on the layer's grid, of both signs; neither upsampled nor normalised.

    Raises:
        ValueError: An argument does not fit the model; or the scores are not a linear layer of the layer's averages,
            and then `convert_to_cam` makes a network where they are.

    Paper: Zhou et al., "Learning Deep Features for Discriminative Localization", 2016.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3))
    >>> _ = net[3].weight.data.copy_(torch.tensor([[1.0, 0.0], [2.0, -1.0], [0.0, 0.0]]))
    >>> image = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    >>> cam(net, image, torch.tensor([1]), "0")  # 2 * [1 2] - 1 * [3 0]
    tensor([[[-1.,  4.]]])
    """
    targets, layer = check_targets(model, images, targets), layer_name(model, layer, images)
    with undisturbed(model, images), torch.no_grad():
        f, scores = run_from(model, images, layer)
        check_grid(f, layer)
        target_scores(scores, targets)  # for its check of the range
        w = head_weights(model, f, scores, layer)[targets.to(f.device)]
    return class_map(w, f.detach()).detach()


def class_map(w: ChannelWeights, f: Activations) -> Map:
    r"""$\sum_k w_k^c A^k_{ij}$: `[N K], [N K h w] -> [N h w]`."""
    return (w[:, :, None, None] * f).sum(dim=1)


def head_weights(model: nn.Module, f: Activations, scores: Scores, layer: str) -> Tensor:
    """The weights `[classes K]` of the linear layer that turns the averages of `f` into the scores.

    Found by what it computes, not by its name: a linear layer or 1x1 convolution of the right size that reproduces the
    scores of these very images from the averages of `f`.

    Raises:
        ValueError: There is none.
    """
    averages = f.mean(dim=(2, 3))
    for head in model.modules():
        if not isinstance(head, nn.Linear | nn.Conv2d) or head.weight[0].numel() != f.shape[1]:
            continue
        W = head.weight.flatten(1)
        if len(W) == scores.shape[1] and _close(F.linear(averages, W, head.bias), scores):
            return W
    raise ValueError(
        f"model: its scores are not one linear layer of the averages of layer {layer!r}, which CAM needs; "
        f"choose the layer that is pooled, or make such a network with convert_to_cam(model, {layer!r}) and retrain it."
    )


def _close(ours: Scores, scores: Scores) -> bool:
    """Equal up to rounding: sums of many terms in another order."""
    tolerance = torch.finfo(scores.dtype).eps ** 0.5
    return bool((ours - scores).abs().max() <= tolerance * scores.abs().max())

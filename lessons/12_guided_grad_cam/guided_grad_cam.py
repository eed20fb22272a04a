# made by `cnnviz build` from solutions/12_guided_grad_cam/guided_grad_cam.md; the functions and answers are yours to write
"""Guided Grad-CAM: write the functions, then run `pytest lessons/12_guided_grad_cam` or `cnnviz check 12_guided_grad_cam`."""

from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@contextmanager
def guided_relus(model: nn.Module):
    """Inside the with block, every ReLU sends back [x > 0] [R > 0] R, for whatever gradient is computed."""

    def keep_positive(module, inputs, output):
        if output.requires_grad:
            output.register_hook(lambda R: R.clamp(min=0))

    relus = [module for module in model.modules() if isinstance(module, (nn.ReLU, nn.ReLU6))]
    handles = [relu.register_forward_hook(keep_positive) for relu in relus]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def image_gradient(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """Gradient of each image's class score with respect to its pixels [N C H W]; inside guided_relus the guided map R."""
    start = images.detach().clone().requires_grad_()
    y = model(start)[torch.arange(len(images)), targets]
    return torch.autograd.grad(y.sum(), start)[0]


def capture(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """What the layer puts out, A, and the gradient of each image's class score with respect to it, both [N K h w]."""
    kept = []

    def cut(module, inputs, output):
        kept.append(output.detach().clone().requires_grad_())
        return kept[0].clone()

    handle = model.get_submodule(layer).register_forward_hook(cut)
    try:
        scores = model(images)
    finally:
        handle.remove()
    y = scores[torch.arange(len(images)), targets]
    (gradients,) = torch.autograd.grad(y.sum(), kept[0])
    return kept[0].detach(), gradients


def grad_cam(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """The Grad-CAM map of each image's class, L = ReLU(Σ_k α_k A^k), [N h w]."""
    A, dA = capture(model, images, targets, layer)
    alpha = dA.mean(dim=(2, 3), keepdim=True)
    return (alpha * A).sum(dim=1).relu()


def upsample(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps on the pixels of the image: bilinear, with u = (i + 1/2) h/H - 1/2 and v = (j + 1/2) w/W - 1/2.

    Args:
        maps: L [N h w].
        size: (H, W) in pixels.

    Returns:
        U [N H W], with the values of L: not scaled.

    About 1 line.
    """
    # Your code here: about 1 line.
    raise NotImplementedError("guided_grad_cam.upsample is not written yet")


def combine(guided: Tensor, maps: Tensor) -> Tensor:
    """The product of the fine and the coarse map: G = R·U at every pixel, in every colour.

    Args:
        guided: R [N C H W].
        maps: U [N H W].

    Returns:
        G [N C H W], raw, with the signs of R.

    About 1 line.
    """
    # Your code here: about 1 line.
    raise NotImplementedError("guided_grad_cam.combine is not written yet")


def two_alphas(activations: Tensor, hidden: Tensor, output: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Importance of each channel by plain gradients, and by guided signals, for the head W_2 ReLU(W_1 flat(A)).

    The ReLU sends back [x > 0] R for the first and [x > 0] [R > 0] R for the second; R = output[targets[n]].

    Args:
        activations: A [N K h w].
        hidden: W_1 [D K·h·w], so that x = activations.flatten(1) @ hidden.T.
        output: W_2 [classes D].
        targets: int64 [N], the class to explain in each image.

    Returns:
        α and α̃, both [N K]: means over the grid, with their signs.

    About 6 lines.
    """
    # Your code here: about 6 lines.
    raise NotImplementedError("guided_grad_cam.two_alphas is not written yet")


def guided_grad_cam(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Guided Grad-CAM: G = R·U, with R by the guided rule and U from plain gradients.

    Args:
        model: gives scores [N classes] for images; it is in eval mode, may be frozen, and its ReLUs are modules.
        images: [N C H W].
        targets: int64 [N], the class to explain in each image.
        layer: name of the layer that Grad-CAM looks at, as in model.get_submodule(layer).

    Returns:
        G [N C H W], raw and signed.

    About 5 lines.
    """
    # Your code here: about 5 lines.
    raise NotImplementedError("guided_grad_cam.guided_grad_cam is not written yet")


whose_upsampling = None  # "divided_by_maximum", "nearest", "sum_kept" or "zero_border"

whose_product = None  # "absolute", "mask", "positive_only" or "result_over_maximum"

scaled_first = None  # "factor", "nothing", "sharper" or "zeros"

rule_at_the_end = None  # "everywhere", "negative_gone" or "same"

opposite_score = None  # "moved", "same", "signs" or "zero"

"""Class visualization (Simonyan et al. 2013): the image that a class's score asks for."""

from __future__ import annotations

import math
import operator

import torch
from torch import Tensor, nn

from cnnviz_ref._channels import channels_that_run
from cnnviz_ref._mechanism import check_numbers, check_whole, first_weight, gradient, target_scores, undisturbed
from cnnviz_ref.regularizers import blurred, check_regularizers, long_waves_first, shift_of, variation_gradient


def class_visualization(
    model: nn.Module,
    target: int,
    *,
    size: int | tuple[int, int] = 224,
    channels: int | None = None,
    steps: int = 200,
    lr: float = 1.0,
    l2: float = 1e-3,
    seed: int = 0,
    jitter: int = 0,
    blur: float = 0.0,
    total_variation: float = 0.0,
    fourier: bool = False,
) -> Tensor:
    r"""The image with a high score of one class and a small norm.

    Formula:
        $\arg\max_I \; y^c(I) - \lambda \lVert I \rVert_2^2$ by plain gradient ascent,
        $I \leftarrow I + \eta \left(\frac{\partial y^c}{\partial I} - 2 \lambda I\right)$, with $y^c$ before softmax.
        Four further regularizers (see `cnnviz_ref.regularizers`) are off by default.

    Args:
        model: As in every method (`help(cnnviz_ref)`).
        target: Class to visualize.
        size: Height and width in pixels, or one number for both.
        channels: Of the image; None is the number with which an image goes through the model, 3 if it can be 3.
        steps: Steps of gradient ascent.
        lr: Step size $\eta$.
        l2: Weight $\lambda$ of the squared norm.
        seed: Of the noise from which the ascent starts, and of the jitter.
        jitter: Pixels by which the image may be shifted, around its border, before a step and back after it.
        blur: Standard deviation in pixels of a Gaussian blur after every step.
        total_variation: Weight $\tau$ of $V(I)$, the sum of squared differences of neighbours, which is taken from the
            objective; steps of $\eta \tau$ from 1/8 on overshoot.
        fourier: Whether the ascent goes along waves, long ones first, in place of pixels.

    Returns:
        Raw image `[C H W]` of the model's dtype on its device, in the model's input scale, not clipped.

    Raises:
        ValueError: An argument does not fit the model, or the ascent left the finite numbers.

    Paper: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks: Visualising Image Classification Models
    and Saliency Maps", 2013.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    >>> _ = net[1].weight.data.copy_(torch.tensor([[1.0, -2.0], [0.0, 3.0]]))
    >>> class_visualization(net, 0, size=(1, 2), steps=60, lr=0.5, l2=0.5)  # w / (2 * l2)
    tensor([[[ 1., -2.]]])
    """
    check_numbers(model)
    _check_options(steps=steps, lr=lr, l2=l2)
    check_regularizers(jitter=jitter, blur=blur, total_variation=total_variation, fourier=fourier)
    generator = torch.Generator().manual_seed(seed)
    I = starting_image(model, size, seed, channels=channels)
    with undisturbed(model, I[None]):
        for _ in range(steps):
            down, right = shift_of(jitter, generator)
            I = I.roll((down, right), (1, 2)) if jitter else I
            dI = score_gradient(model, I, target) - 2 * l2 * I
            if total_variation:
                dI = dI - total_variation * variation_gradient(I)
            I = blurred(I + lr * (long_waves_first(dI) if fourier else dI), blur)
            I = I.roll((-down, -right), (1, 2)) if jitter else I
    if not torch.isfinite(I).all():
        raise ValueError(f"lr: got {lr}, with which the ascent left the finite numbers; choose a smaller lr or l2.")
    return I


def ascent_step(model: nn.Module, I: Tensor, target: int, *, lr: float, l2: float) -> Tensor:
    r"""$I + \eta \left(\frac{\partial y^c}{\partial I} - 2 \lambda I\right)$: `[C H W] -> [C H W]`, detached."""
    I = I.detach()
    return I + lr * (score_gradient(model, I, target) - 2 * l2 * I)


def score_gradient(model: nn.Module, I: Tensor, target: int) -> Tensor:
    r"""$\partial y^c / \partial I$: `[C H W] -> [C H W]`, detached."""
    leaf = I.detach().clone().requires_grad_()
    with torch.enable_grad():
        y = score(model, leaf, target)
    return gradient(y, leaf, "model")


def objective(model: nn.Module, I: Tensor, target: int, *, l2: float) -> Tensor:
    r"""$J = y^c(I) - \lambda \lVert I \rVert_2^2$, what every step raises: `[C H W] ->` scalar."""
    return score(model, I, target) - l2 * (I**2).sum()


def score(model: nn.Module, I: Tensor, target: int) -> Tensor:
    """$y^c(I)$, before softmax: `[C H W] ->` scalar."""
    scores = model(I[None].clone())
    return target_scores(scores, torch.tensor([_class(target)], device="cpu"))[0].to(I.dtype)


def starting_image(model: nn.Module, size: int | tuple[int, int], seed: int, *, channels: int | None = None) -> Tensor:
    """Faint seeded noise `[C H W]` in the model's dtype on its device; the same on every device."""
    H, W = _height_and_width(size)
    if channels is not None:
        check_whole("channels", channels, "3 is red, green and blue")
    C = channels or _channels(model, (H, W))
    generator = torch.Generator().manual_seed(seed)
    noise = 0.01 * torch.randn(C, H, W, generator=generator, dtype=torch.float64, device="cpu")
    weight = first_weight(model)
    return noise.to(torch.get_default_dtype()) if weight is None else noise.to(weight.device, weight.dtype)


def _class(target: int) -> int:
    try:
        return operator.index(target)
    except TypeError:
        got = type(target).__name__
        raise ValueError(f"target: got {got}, needs one class index; use cnnviz.class_index for a name.") from None


def _check_options(*, steps: int, lr: float, l2: float) -> None:
    check_whole("steps", steps, "try 200", least=0)
    if not 0 < lr < math.inf:
        raise ValueError(f"lr: got {lr!r}, needs a positive number; try 1.0.")
    if not 0 <= l2 < math.inf:
        raise ValueError(f"l2: got {l2!r}, needs a number from 0; 0 is no regularization.")


def _height_and_width(size: int | tuple[int, int]) -> tuple[int, int]:
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2 or min(pair) < 1:
        raise ValueError(f"size: got {size!r}, needs pixels from 1, one number or (height, width); try 224.")
    return pair


def _channels(model: nn.Module, size: tuple[int, int]) -> int:
    try:
        with undisturbed(model), torch.no_grad():
            return channels_that_run(model, size, model)
    except Exception as error:
        H, W = size
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
        if not any(weight.ndim == 4 for weight in model.parameters()):
            raise ValueError(
                f"size: no first layer of the model reads {H * W} pixels; choose the size it was made for, or say how "
                f"many channels ({error})."
            ) from error
        raise ValueError(
            f"size: got {H} x {W}, but no blank image of that size goes through the model ({error}); choose the size "
            f"that it was made for, or say how many channels."
        ) from error

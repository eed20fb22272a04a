r"""Four regularizers that make a class visualization smoother.

Each lowers the score for smoothness: such a picture depends on the network and on the regularizer.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

OFF = {"jitter": 0, "blur": 0.0, "total_variation": 0.0, "fourier": False}
"""The options of `class_visualization` that are regularizers, and the values at which they do nothing."""


def shift_of(jitter: int, generator: torch.Generator) -> tuple[int, int]:
    """Rows and columns to shift by, each drawn from `-jitter` to `jitter` (Mordvintsev et al. 2015)."""
    down, right = torch.randint(-jitter, jitter + 1, (2,), generator=generator, device="cpu").tolist()
    return down, right


def blurred(I: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of `[C H W]` with standard deviation `sigma`, cut at three of them; the border is mirrored.

    Paper: Yosinski et al., "Understanding Neural Networks Through Deep Visualization", 2015.
    """
    from torchvision.transforms.functional import gaussian_blur  # it imports torch's compiler, a second or two

    reach = min(math.ceil(3 * sigma), min(I.shape[1:]) - 1)  # a mirror shows no more than the image
    return gaussian_blur(I, [2 * reach + 1] * 2, [sigma] * 2) if sigma and reach else I


def variation(I: Tensor) -> Tensor:
    r"""$V(I) = \sum_{cij} (I_{c,i+1,j} - I_{cij})^2 + (I_{c,i,j+1} - I_{cij})^2$: `[C H W] ->` scalar.

    Paper: Mahendran, Vedaldi, "Understanding Deep Image Representations by Inverting Them", 2015, with beta = 2.

    >>> variation(torch.tensor([[[1.0, 3.0], [2.0, 2.0]]]))  # down 1 + 1, right 4 + 0
    tensor(6.)
    """
    return I.diff(dim=1).square().sum() + I.diff(dim=2).square().sum()


def variation_gradient(I: Tensor) -> Tensor:
    r"""$\partial V / \partial I$: `[C H W]`; at every place twice the sum of its differences from its neighbours."""
    dV = torch.zeros_like(I)
    for axis in (1, 2):
        step = 2 * I.diff(dim=axis)
        dV.narrow(axis, 1, step.shape[axis]).add_(step)
        dV.narrow(axis, 0, step.shape[axis]).sub_(step)
    return dV


def long_waves_first(dI: Tensor) -> Tensor:
    r"""The step that plain ascent takes if the image is written as waves, long ones in larger units: `[C H W]`.

    With $I = F^{-1}(s \, z)$ for a wave of frequency $f$ in units of $s_f \propto 1 / \max(f, f_{\min})$, a step along
    $\partial y / \partial z$ changes $I$ by $F^{-1}(s^2 F(\partial y / \partial I))$. The mean of $s^2$ is 1, so that a
    step without preference is as long as before.

    Paper: Olah, Mordvintsev, Schubert, "Feature Visualization", 2017 (its spatial decorrelation).
    """
    H, W = dI.shape[1:]
    rows, columns = (torch.fft.fftfreq(n, dtype=dI.dtype, device=dI.device) for n in (H, W))
    f = (rows[:, None] ** 2 + columns**2).sqrt().clamp(min=1 / max(H, W))
    s2 = f**-2 / (f**-2).mean()
    return torch.fft.ifft2(s2 * torch.fft.fft2(dI)).real


def check_regularizers(*, jitter: object, blur: object, total_variation: object, fourier: object) -> None:
    """Numbers from 0 and a bool, or a ValueError."""
    if not isinstance(jitter, int) or jitter < 0:
        raise ValueError(f"jitter: got {jitter!r}, needs whole pixels from 0; 0 is none, try 8.")
    for name, value in (("blur", blur), ("total_variation", total_variation)):
        if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
            raise ValueError(f"{name}: got {value!r}, needs a number from 0; 0 is none.")
    if not isinstance(fourier, bool):
        raise ValueError(f"fourier: got {fourier!r}, needs True or False.")

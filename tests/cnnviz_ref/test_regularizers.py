from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from cnnviz.small_nets import GapNet
from cnnviz_ref import class_visualization
from cnnviz_ref.class_visualization import ascent_step, score, starting_image
from cnnviz_ref.regularizers import OFF, blurred, long_waves_first, variation, variation_gradient

SIZE = (10, 7)
EACH = {"jitter": 2, "blur": 0.6, "total_variation": 0.1, "fourier": True}


def image(seed: int = 1) -> Tensor:
    return torch.randn(3, *SIZE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ascend(steps: int = 3, **options: object) -> Tensor:
    return class_visualization(GapNet().double(), 2, size=SIZE, steps=steps, lr=0.5, l2=0.01, **options)


def test_off_they_change_nothing() -> None:
    net = GapNet().double()
    I = starting_image(net, SIZE, 0)
    for _ in range(3):
        I = ascent_step(net, I, 2, lr=0.5, l2=0.01)
    assert torch.equal(ascend(), I)
    assert torch.equal(ascend(**OFF), I)


@pytest.mark.parametrize("name", EACH)
def test_each_one_changes_the_image_and_the_same_seed_gives_the_same(name: str) -> None:
    option = {name: EACH[name]}
    assert (ascend(**option) - ascend()).abs().max() > 1e-3
    assert torch.equal(ascend(**option), ascend(**option))


@pytest.mark.parametrize("name", ["blur", "total_variation", "fourier"])
def test_neighbours_become_more_alike(name: str) -> None:
    def roughness(I: Tensor) -> float:
        return (variation(I) / I.square().sum()).item()

    assert roughness(ascend(30, **{name: EACH[name]})) < 0.9 * roughness(ascend(30))


def test_variation_is_the_sum_over_pairs_of_neighbours_and_its_gradient_autograds() -> None:
    I = image().requires_grad_()
    rows, columns = SIZE
    total = 0.0
    for c in range(3):
        for i in range(rows):
            for j in range(columns):
                total += (I[c, i + 1, j] - I[c, i, j]) ** 2 if i + 1 < rows else 0.0
                total += (I[c, i, j + 1] - I[c, i, j]) ** 2 if j + 1 < columns else 0.0
    torch.testing.assert_close(variation(I), total)
    torch.testing.assert_close(variation_gradient(I.detach()), torch.autograd.grad(variation(I), I)[0])


def test_blur_is_the_weighted_mean_of_the_mirrored_neighbourhood() -> None:
    I, sigma = image(), 0.5
    reach = math.ceil(3 * sigma)
    weight = [math.exp(-(d**2) / (2 * sigma**2)) for d in range(-reach, reach + 1)]
    mirror = [[abs(k) if k < n else 2 * (n - 1) - k for k in range(-reach, n + reach)] for n in SIZE]
    expected = torch.zeros_like(I)
    for i in range(SIZE[0]):
        for j in range(SIZE[1]):
            for a, up in enumerate(weight):
                for b, across in enumerate(weight):
                    expected[:, i, j] += up * across * I[:, mirror[0][i + a], mirror[1][j + b]]
    torch.testing.assert_close(blurred(I, sigma), expected / sum(weight) ** 2)


def test_a_blur_wider_than_the_image_is_cut_and_none_is_none() -> None:
    assert torch.isfinite(blurred(image(), 50.0)).all()
    assert torch.equal(blurred(image(), 0.0), image())


def test_long_waves_first_is_plain_ascent_on_the_waves() -> None:
    net, lr = GapNet().double(), 0.5
    H, W = SIZE
    f = [[math.hypot(min(i, H - i) / H, min(j, W - j) / W) for j in range(W)] for i in range(H)]
    s = 1 / torch.tensor(f, dtype=torch.float64).clamp(min=1 / max(H, W))
    s = s / s.square().mean().sqrt()
    start = starting_image(net, SIZE, 0)
    z = (torch.fft.fft2(start, norm="ortho") / s).requires_grad_()
    y = score(net, torch.fft.ifft2(s * z, norm="ortho").real, 2)
    after = torch.fft.ifft2(s * (z + lr * torch.autograd.grad(y, z)[0]), norm="ortho").real
    ours = class_visualization(net, 2, size=SIZE, steps=1, lr=lr, l2=0.0, fourier=True)
    torch.testing.assert_close(ours, after.detach(), rtol=1e-9, atol=1e-12)


def test_long_waves_first_prefers_long_waves() -> None:
    columns = torch.arange(64, dtype=torch.float64)
    long, short = (torch.cos(2 * math.pi * columns * n / 64).expand(1, 64, 64) for n in (2, 20))
    gain = [(long_waves_first(wave).norm() / wave.norm()).item() for wave in (long, short)]
    assert gain[0] / gain[1] == pytest.approx(100)


def test_jitter_takes_no_side_of_a_network_that_does_not_mind_shifts() -> None:
    from torch import nn

    net = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
    net = nn.Sequential(net, nn.Flatten()).double()
    for jitter in (1, 3):
        ours = class_visualization(net, 1, size=SIZE, steps=4, lr=0.5, l2=0.01, jitter=jitter)
        torch.testing.assert_close(ours, class_visualization(net, 1, size=SIZE, steps=4, lr=0.5, l2=0.01))


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"jitter": -1}, "jitter: got -1, needs whole pixels from 0; 0 is none, try 8."),
        ({"jitter": 1.5}, "jitter: got 1.5, needs whole pixels from 0"),
        ({"blur": -1.0}, "blur: got -1.0, needs a number from 0; 0 is none."),
        ({"total_variation": float("nan")}, "total_variation: got nan, needs a number from 0; 0 is none."),
        ({"fourier": 1}, "fourier: got 1, needs True or False."),
    ],
)
def test_bad_options_are_named(option: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011
        ascend(**option)
    assert str(error.value).startswith(sentence)

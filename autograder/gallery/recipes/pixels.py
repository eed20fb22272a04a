"""Methods that give a value to every pixel by hiding it or by going back to it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from autograder.gallery.drawing import Panel, alone, grey, inside, over
from autograder.gallery.recipes.record import Draw
from autograder.gallery.subject import Subject
from cnnviz_ref import deeplift, guided_backprop, guided_grad_cam, lrp, occlusion, saliency


def draw_occlusion(subject: Subject) -> list[Panel]:
    """Drops over the picture."""
    window = subject.look.window
    found = occlusion(subject.model, subject.images, subject.classes, window=window, stride=window // 3)
    with torch.no_grad():
        scores = subject.model(subject.image)[0]
    return [
        over(
            subject, one, t.name, f"{_extremes(one, scores[t.index])} {inside(subject, one, t)}", target=t, signed=True
        )
        for t, one in zip(subject.targets, found, strict=True)
    ]


def draw_saliency(subject: Subject) -> list[Panel]:
    """The largest absolute gradient, alone."""
    found = saliency(subject.model, subject.images, subject.classes)
    return [
        alone(one, t.name, inside(subject, one, t), target=t, signed=False)
        for t, one in zip(subject.targets, found, strict=True)
    ]


def draw_guided_backprop(subject: Subject) -> list[Panel]:
    """Signed pictures; the last panel is the deconvnet, for contrast."""
    first = subject.targets[0]
    contrast = guided_backprop(subject.model, subject.image, subject.classes[:1], rule="deconvnet")[0]
    return [
        *_drawings(subject, guided_backprop(subject.model, subject.images, subject.classes)),
        grey(contrast, f"{first.name}, deconvnet rule", "The forward value is not looked at."),
    ]


def draw_guided_grad_cam(subject: Subject) -> list[Panel]:
    """Signed pictures, one a target."""
    return _drawings(subject, guided_grad_cam(subject.model, subject.images, subject.classes, subject.look.layer))


def _drawings(subject: Subject, found: Tensor) -> list[Panel]:
    """`[targets C H W]` of both signs; from the second on with its likeness to the first."""
    panels = []
    for n, (t, one) in enumerate(zip(subject.targets, found, strict=True)):
        alike = F.cosine_similarity(found[0].flatten(), one.flatten(), dim=0)
        said = f"Cosine similarity with the first: {alike:.2f}. " if n else ""
        strength = inside(subject, one.abs().amax(0), t).replace("what is positive", "its strength")
        panels.append(grey(one, t.name, said + strength))
    return panels


def draw_deeplift(subject: Subject) -> list[Panel]:
    """Rescale from a grey (or empty) baseline, and the first target from a blurred one."""
    found = deeplift(subject.model, subject.images, subject.classes).sum(1)
    plain = "grey" if subject.photographic else "empty paper"
    soft = blurred(subject.image)
    other = deeplift(subject.model, subject.image, subject.classes[:1], baselines=soft).sum(1)[0]
    rows = [(t, one, torch.zeros_like(subject.image), plain) for t, one in zip(subject.targets, found, strict=True)]
    rows.append((subject.targets[0], other, soft, "the blurred picture"))
    return [
        alone(one, f"{t.name}, from {name}", f"{_complete(subject, one, t.index, baseline)} {inside(subject, one, t)}",
              target=t, signed=True)
        for t, one, baseline, name in rows
    ]  # fmt: skip


def draw_lrp(subject: Subject) -> list[Panel]:
    """The gamma rule for every target, and others for the first."""
    found = lrp(subject.model, subject.images, subject.classes, rule="gamma", gamma=0.1).sum(1)
    rows = [(t, one, "gamma = 0.1") for t, one in zip(subject.targets, found, strict=True)]
    for name, options in LRP_RULES.items():
        one = lrp(subject.model, subject.image, subject.classes[:1], **options).sum(1)[0]  # type: ignore[arg-type]
        rows.append((subject.targets[0], one, name))
    with torch.no_grad():
        scores = subject.model(subject.image)[0]
    return [
        alone(one, f"{t.name}, {rule}",
              f"Sums to {one.sum():.2g} of the score {scores[t.index]:.2f}. {inside(subject, one, t)}",
              target=t, signed=True)
        for t, one, rule in rows
    ]  # fmt: skip


def _extremes(drops: Tensor, score: Tensor) -> str:
    up, down = (-drops).max().clamp(min=0), drops.max().clamp(min=0)
    return f"The score, {score:.2f}, falls by up to {down:.2f} and rises by up to {up:.2f}."


def blurred(image: Tensor) -> Tensor:
    """The picture with everything gone that is smaller than a quarter of it."""
    from torchvision.transforms.functional import gaussian_blur

    wide = image.shape[-1] // 8
    return gaussian_blur(image, kernel_size=[4 * (wide // 4) + 1] * 2, sigma=[wide / 4])


def _complete(subject: Subject, one: Tensor, index: int, baseline: Tensor) -> str:
    with torch.no_grad():
        y, y0 = subject.model(torch.cat([subject.image, baseline]))[:, index].tolist()
    return f"Sums to {one.sum():.2f}; the score goes from {y0:.2f} to {y:.2f}, {y - y0:+.2f}."


LRP_RULES = {
    "composite": {"rule": "composite", "gamma": 0.1, "epsilon": 0.1},
    "epsilon = 1e-9": {"rule": "epsilon"},
    "z plus": {"rule": "z_plus"},
}
CENTRED = (
    "White is zero, red is positive, blue is negative; one symmetric scale, so equal strengths look equally strong."
)
CUT = "The largest 0.5 % of the values share the last colour."

RECIPES: dict[str, Draw] = {
    "occlusion": draw_occlusion,
    "saliency": draw_saliency,
    "guided_backprop": draw_guided_backprop,
    "guided_grad_cam": draw_guided_grad_cam,
    "deeplift": draw_deeplift,
    "lrp": draw_lrp,
}

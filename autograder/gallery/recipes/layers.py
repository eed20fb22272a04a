"""What single layers and channels hold: filters, activations, masks, patches, and the picture that a class asks for."""

from __future__ import annotations

import torch
from torch import Tensor

from autograder.gallery.drawing import Panel, maps, photo, sheet
from autograder.gallery.recipes.record import Draw
from autograder.gallery.subject import Subject
from cnnviz_ref import activations, class_visualization, filters
from cnnviz_ref.activation_masks import channel_thresholds, overlaps, upsampled_masks
from cnnviz_ref.class_visualization import ascent_step, starting_image
from cnnviz_ref.filters import scale_filters


def draw_filters(subject: Subject) -> list[Panel]:
    """All filters of the first layer, and what the first eight of them make of the picture."""
    W = filters(subject.model, subject.look.first)
    shown = scale_filters(W)
    K, C, kh, kw = W.shape
    said = f"{K} filters of {C} by {kh} by {kw} weights, from {W.min():.2f} to {W.max():.2f}."
    panel = sheet(list(shown), [str(k) for k in range(K)], f"Filters of {subject.look.first}", said, columns=8)
    order = W.flatten(1).std(1).argsort(descending=True)[:8].sort().values.tolist()
    answers = activations(subject.model, subject.image, subject.look.first)[0]
    titles = [f"filter {k}" for k in order]
    return [panel, maps([answers[k] for k in order], titles, "What the eight strongest answer",
                        "Each answer has its own range of colours.")]  # fmt: skip


def draw_activations(subject: Subject) -> list[Panel]:
    """The eight most varied channels of an early, a middle and the last layer."""
    panels = []
    for layer in subject.look.layers:
        A = activations(subject.model, subject.image, layer)[0]
        order = A.flatten(1).std(1).argsort(descending=True)[:8].tolist()
        K, h, w = A.shape
        said = f"{K} channels on a {h} by {w} grid; {(A <= 0).float().mean():.0%} of all values are 0 or less."
        panels.append(maps([A[k] for k in order], [f"channel {k}" for k in order], layer, said))
    return panels


def draw_activation_masks(subject: Subject) -> list[Panel]:
    """The channel that covers the first target best, on the picture and on the concept's pictures."""
    concept, look = subject.concept, subject.look
    assert concept.masks is not None
    A = torch.cat([activations(subject.model, part, look.layer) for part in concept.images.split(16)])
    T = channel_thresholds(A, look.quantile)
    iou = data_set_iou(A, T, concept.masks[:, :: look.every, :: look.every])
    k = int(iou.argmax())
    said = (
        f"IoU {iou[k]:.2f} over all of {concept.about}; q = {look.quantile}. The median channel has {iou.median():.2f}."
    )
    where = concept.masks.flatten(1).any(1).nonzero()[:8, 0]
    own = activations(subject.model, subject.image, look.layer)
    masks = upsampled_masks(torch.cat([own, A[where]])[:, k : k + 1], T[k : k + 1], subject.size)[:, 0]
    shown = subject.drawable(torch.cat([subject.image, concept.images[where]]))
    first, *others = [lit(picture, mask) for picture, mask in zip(shown, masks, strict=True)]
    alt = f"bright only where channel {k} is above its threshold"
    share = f"{masks[0].float().mean():.0%} is lit."
    return [
        photo(first, f"channel {k} on this picture", share, alt=f"The picture, {alt}: {share}"),
        sheet(others, [""] * len(others), f"channel {k} finds {subject.concept_name}", said,
              alt=f"{len(others)} pictures, {alt}. {said}"),
    ]  # fmt: skip


def data_set_iou(A: Tensor, T: Tensor, truth: Tensor) -> Tensor:
    """Each channel's intersection over union, both summed over the pictures: `[K]`; one picture's masks at a time."""
    h, w = truth.shape[1:]
    both = [overlaps(upsampled_masks(a[None], T, (h, w)), one[None, None]) for a, one in zip(A, truth, strict=True)]
    intersection, union = (torch.stack(part).sum(0)[:, 0] for part in zip(*both, strict=True))
    return intersection / union.clamp(min=1)


def lit(picture: Tensor, mask: Tensor) -> Tensor:
    """`[C H W]`, dark outside the mask."""
    return picture * torch.where(mask, 1.0, 0.3)


def draw_class_visualization(subject: Subject) -> list[Panel]:
    """Plain ascent for every target and, in between, with jitter and blur."""
    steps, lr, l2 = subject.look.ascent
    panels = []
    for t in subject.targets:
        plain = class_visualization(subject.model, t.index, size=subject.size, steps=steps, lr=lr, l2=l2)
        smooth = smoothed(subject, t.index)
        for image, title in ((plain, t.name), (smooth, f"{t.name}, with jitter and blur")):
            with torch.no_grad():
                p = subject.model(image[None]).softmax(1)[0, t.index]
            said = f"The model gives this picture the class with probability {p:.3f}."
            panels.append(photo(subject.stretched(image), title, said, alt=f"{title}: a picture made by the network."))
    return panels


def smoothed(subject: Subject, target: int, *, steps: int = 100) -> Tensor:
    """The same steps on a picture shifted at random, blurred after every second one."""
    from torchvision.transforms.functional import gaussian_blur

    lr, l2 = subject.look.smooth_ascent
    generator = torch.Generator().manual_seed(1)
    reach = subject.size[0] // 14
    image = starting_image(subject.model, subject.size, 0)
    for step in range(steps):
        shift = torch.randint(-reach, reach + 1, (2,), generator=generator).tolist()
        moved = ascent_step(subject.model, image.roll(shift, (1, 2)), target, lr=lr, l2=l2)
        image = moved.roll([-s for s in shift], (1, 2))
        if step % 2:
            image = gaussian_blur(image[None], kernel_size=[5, 5], sigma=[0.9])[0]
    return image


RECIPES: dict[str, Draw] = {
    "filters": draw_filters,
    "activations": draw_activations,
    "activation_masks": draw_activation_masks,
    "class_visualization": draw_class_visualization,
}

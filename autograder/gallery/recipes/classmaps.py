"""Maps of a class on the last layer's grid: CAM, its new head, Grad-CAM."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autograder.gallery.drawing import Panel, inside, over
from autograder.gallery.recipes.record import Draw
from autograder.gallery.subject import Subject
from cnnviz_ref import cam, convert_to_cam, grad_cam
from cnnviz_ref.convert_to_cam import CamNet


def draw_cam(subject: Subject) -> list[Panel]:
    """Both signs, over the picture."""
    found = cam(subject.model, subject.images, subject.classes, subject.look.layer)
    bias = [module for module in subject.model.modules() if isinstance(module, nn.Linear)][-1].bias
    return [
        over(subject, one, t.name, f"Mean {one.mean():.2f} plus bias {bias[t.index].item():.2f} is the score. "
             + inside(subject, one, t), target=t, signed=True)
        for t, one in zip(subject.targets, found, strict=True)
    ]  # fmt: skip


def draw_convert_to_cam(subject: Subject) -> list[Panel]:
    """An earlier layer with a new head, trained on the collection in a moment."""
    network = convert_to_cam(subject.model, subject.look.finer)
    images, classes = lesson_of_the_head(subject)
    right = train_head(network, images, classes)
    found = cam(network, subject.images, subject.classes, "features")
    h, w = found.shape[1:]
    return [
        over(subject, one, f"{t.name}, from {subject.look.finer}",
             f"{h} by {w} grid; the new head names {right} of its {len(images)} pictures rightly, "
             f"{int((classes == t.index).sum())} of them {t.name}. {inside(subject, one, t)}", target=t, signed=True)
        for t, one in zip(subject.targets, found, strict=True)
    ]  # fmt: skip


def lesson_of_the_head(subject: Subject) -> tuple[Tensor, Tensor]:
    """The collection's pictures and their classes; the picture itself, where nobody knows its class, as the target."""
    images, classes = subject.collection.images, subject.collection.classes
    if len(subject.targets) == 1:
        return images, torch.where(classes < 0, subject.targets[0].index, classes)
    return images[classes >= 0], classes[classes >= 0]


def train_head(network: CamNet, images: Tensor, classes: Tensor, *, steps: int = 200) -> int:
    """Trains the classifier alone; how many pictures it then names rightly."""
    with torch.no_grad():
        features = torch.cat([network.features(part).mean((2, 3)) for part in images.split(16)])
    classifier, scale = network.classifier, features.std(0).clamp(min=1e-6)
    weight = torch.zeros_like(classifier.weight, requires_grad=True)
    bias = torch.zeros_like(classifier.bias, requires_grad=True)
    optimizer = torch.optim.Adam([weight, bias], lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(F.linear(features / scale, weight, bias), classes) + 1e-3 * weight.square().sum()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        classifier.weight.copy_(weight / scale)
        classifier.bias.copy_(bias)
        return int((classifier(features).argmax(1) == classes).sum())


def draw_grad_cam(subject: Subject) -> list[Panel]:
    """Non-negative maps, over the picture."""
    found = grad_cam(subject.model, subject.images, subject.classes, subject.look.layer)
    return [
        over(subject, one, t.name, inside(subject, one, t), target=t, signed=False)
        for t, one in zip(subject.targets, found, strict=True)
    ]


RECIPES: dict[str, Draw] = {
    "cam": draw_cam,
    "convert_to_cam": draw_convert_to_cam,
    "grad_cam": draw_grad_cam,
}

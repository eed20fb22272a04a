"""Methods that look at many pictures at once: embeddings, nearest neighbours, t-SNE, strongest patches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

import cnnviz
from autograder.gallery.drawing import Panel, drawn, sheet
from autograder.gallery.recipes.record import Draw
from autograder.gallery.subject import Subject
from cnnviz_ref import activations, max_patches, nearest_neighbors, tsne

SHOWN = 7
"""Neighbours of the picture."""


def pixel_rows(images: Tensor) -> Tensor:
    """`[M D]`: the pictures themselves, small."""
    return F.interpolate(images, size=(32, 32), mode="area").flatten(1)


def draw_embed(subject: Subject) -> list[Panel]:
    """Cosine similarities of all pictures, ordered by group, in features and in pixels."""
    groups = subject.collection.groups
    order = sorted(range(len(groups)), key=lambda i: (groups[i], i))[:: max(1, len(groups) // 100)]
    pixels = pixel_rows(subject.collection.images[order])
    named = [groups[i] for i in order]
    return [
        similarities(subject.features[order], named, f"averages of {subject.look.layer}"),
        similarities(pixels, named, "the pixels themselves"),
    ]


def similarities(rows: Tensor, groups: list[str], title: str) -> Panel:
    """The matrix of cosine similarities; groups are named along its side."""
    unit = F.normalize(rows.detach() - rows.detach().mean(0))
    matrix = unit @ unit.T
    same = torch.tensor([[a == b for b in groups] for a in groups])
    same_value = matrix[same & ~torch.eye(len(groups), dtype=torch.bool)].mean()
    said = f"Mean similarity within a group {same_value:.2f}, between groups {matrix[~same].mean():.2f}."

    def draw(figure: Any) -> None:
        ax = cnnviz.show_map(matrix, title=title, signed=True, ax=figure.subplots())
        names = sorted(set(groups))
        middles = [sum(i for i, g in enumerate(groups) if g == name) / groups.count(name) for name in names]
        ax.set_yticks(middles, names, fontsize=8)
        ax.tick_params(length=0)

    return Panel(drawn((4.1, 3.2), draw), f"Similarities by {title}. {said}", said)


def draw_nearest_neighbors(subject: Subject) -> list[Panel]:
    """The picture and its neighbours, by features and by pixels."""
    images, groups = subject.collection.images, subject.collection.groups
    leave_out = None if subject.itself is None else torch.tensor([subject.itself])
    panels = []
    for rows, query, metric, what in (
        (subject.features, subject.embedded(subject.image), "cosine", f"by averages of {subject.look.layer}, cosine"),
        (pixel_rows(images), pixel_rows(subject.image), "euclidean", "by their pixels, euclidean"),
    ):
        d, found = nearest_neighbors(rows, query, k=SHOWN, metric=metric, leave_out=leave_out)
        names = [f"{groups[i]}, {x:.2f}" for i, x in zip(found[0].tolist(), d[0].tolist(), strict=True)]
        pictures = [subject.picture, *subject.drawable(images[found[0]])]
        said = f"Nearest first: {'; '.join(names)}. Found in {subject.collection.about}."
        panels.append(sheet(pictures, ["this picture", *names], what, said, alt=f"Neighbours {what}. {said}"))
    return panels


def draw_tsne(subject: Subject) -> list[Panel]:
    """The collection in the plane, by features: photos as thumbnails, digits as their labels."""
    collection = subject.collection
    perplexity = min(30.0, len(collection.images) / 5)
    points = tsne(subject.features, perplexity=perplexity, steps=500, seed=0)
    nearest = torch.cdist(points, points).fill_diagonal_(torch.inf).argmin(1).tolist()
    agree = sum(collection.groups[i] == collection.groups[j] for i, j in enumerate(nearest)) / len(nearest)
    kind = "photo" if subject.photographic else "digit"
    said = f"{collection.about}, perplexity {perplexity:.0f}. For {agree:.0%} the nearest point has the same {kind}."
    draw = _thumbnails if subject.photographic else _labels
    return [Panel(drawn((5.4, 5.2), lambda figure: draw(figure.subplots(), points, subject)),
                  f"Points in the plane, one a picture. {said}", said)]  # fmt: skip


def _thumbnails(ax: Any, points: Tensor, subject: Subject) -> None:
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    colours, groups = _colours(subject), subject.collection.groups
    pictures = subject.drawable(subject.collection.images)
    ax.scatter(*points.T.numpy(), s=0)
    for xy, picture, group in zip(points.tolist(), pictures, groups, strict=True):
        small = F.interpolate(picture[None], size=(48, 48), mode="area")[0].permute(1, 2, 0).numpy()
        frame = {"edgecolor": colours[group], "linewidth": 2.5, "boxstyle": "square,pad=0"}
        ax.add_artist(AnnotationBbox(OffsetImage(small, zoom=0.5), xy, pad=0, bboxprops=frame))
    ax.margins(0.08)
    ax.set(xticks=[], yticks=[])


def _labels(ax: Any, points: Tensor, subject: Subject) -> None:
    colours = _colours(subject)
    ax.scatter(*points.T.numpy(), s=0)
    for (x, y), group in zip(points.tolist(), subject.collection.groups, strict=True):
        ax.text(x, y, group, color=colours[group], fontsize=8, ha="center", va="center")
    ax.set(xticks=[], yticks=[])


def _colours(subject: Subject) -> dict[str, Any]:
    import matplotlib

    return dict(zip(sorted(set(subject.collection.groups)), matplotlib.colormaps["tab10"].colors, strict=False))  # type: ignore[attr-defined]


def draw_max_patches(subject: Subject) -> list[Panel]:
    """Channels that the picture excites more than other pictures do, and what else excites them."""
    layer, panels = subject.look.patches, []
    others = [i for i in range(len(subject.collection.groups)) if i != subject.itself]
    images = subject.collection.images[others]
    A = torch.cat([activations(subject.model, part, layer) for part in images.split(16)])
    here = activations(subject.model, subject.image, layer)[0].amax((1, 2))
    for channel in unusual_channels(A, here)[:3]:
        strongest = A[:, channel].amax((1, 2)).topk(7).indices.sort().values  # nothing else can be among the seven
        own = max_patches(subject.model, subject.image, layer, channel, k=1)
        found = max_patches(subject.model, images[strongest], layer, channel, k=7)
        names = [subject.collection.groups[others[strongest[n]]] for n in found.boxes[:, 0].tolist()]
        scores = torch.cat([own.scores, found.scores]).tolist()
        titles = [f"{name}, {score:.1f}" for name, score in zip(["this picture", *names], scores, strict=True)]
        side = found.pixels.shape[-1]
        said = f"Patches of {side} by {side} pixels: this picture's, then the strongest seven in the others."
        patches = list(subject.drawable(torch.cat([own.pixels, found.pixels])))
        alt = f"Channel {channel}: {said} {'; '.join(titles)}."
        panels.append(sheet(patches, titles, f"channel {channel} of {layer}", said, alt=alt))
    return panels


def unusual_channels(A: Tensor, here: Tensor) -> list[int]:
    """Channels by how far this picture's maxima `[K]` exceed the usual ones, those of `A` `[M K h w]`.

    Those whose largest answers often lie at the rim react to the padding, and come last.
    """
    rim = A.shape[-1] // 7
    strongest, order = A.amax((2, 3)).sort(0, descending=True)
    inner = A[..., rim:-rim, rim:-rim].amax((2, 3)).gather(0, order)
    at_rim = (inner[:7] < strongest[:7]).float().mean(0)
    unusual = (here - strongest.mean(0)) / strongest.std(0).clamp(min=1e-3)
    return (unusual - 100 * (at_rim > 0.3)).argsort(descending=True).tolist()


RECIPES: dict[str, Draw] = {
    "embed": draw_embed,
    "nearest_neighbors": draw_nearest_neighbors,
    "tsne": draw_tsne,
    "max_patches": draw_max_patches,
}

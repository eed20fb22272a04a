"""Wrong answers to the exercises on class activation maps, as students write them."""

from __future__ import annotations

import copy

import torch
from skimage.measure import label, regionprops
from torch import nn
from torch.nn import functional as F

from tests.exercises.written import variants

PooledThenLinear = variants("cam").PooledThenLinear


def _box(mask, size_of=lambda region: region.area):
    regions = regionprops(label(mask.numpy(), connectivity=1))
    return torch.tensor(max(regions, key=size_of).bbox if regions else (0, 0, 0, 0))


def _large(heatmap, size, **options):
    return F.interpolate(heatmap[None, None], size=size, **({"mode": "bilinear"} | options))[0, 0]


def box_of_whole_numbers(heatmap, *, size, fraction):
    large = _large(heatmap, size).clamp(min=0)
    levels = (255 * large / large.max().clamp(min=1e-9)).to(torch.uint8)
    return _box(levels.double() > fraction * 255)


def box_of_whole_numbers_and_threshold(heatmap, *, size, fraction):
    large = _large(heatmap, size).clamp(min=0)
    levels = (255 * large / large.max().clamp(min=1e-9)).to(torch.uint8)
    return _box(levels > int(fraction * 255))


def box_of_the_longest_outline(heatmap, *, size, fraction):
    large = _large(heatmap, size)
    return _box(large > fraction * large.max().clamp(min=0), lambda region: region.perimeter)


def box_of_the_convex_hull(heatmap, *, size, fraction):
    large = _large(heatmap, size)
    return _box(large > fraction * large.max().clamp(min=0), lambda region: region.area_convex)


def box_with_the_small_threshold(heatmap, *, size, fraction):
    return _box(_large(heatmap, size) > fraction * heatmap.max().clamp(min=0))


def box_unless_the_small_map_is_empty(heatmap, *, size, fraction):
    if heatmap.max() <= 0:
        return torch.zeros(4, dtype=torch.int64)
    large = _large(heatmap, size)
    return torch.tensor(max(regionprops(label((large > fraction * large.max()).numpy())), key=lambda r: r.area).bbox)


def box_of_a_rectified_map(heatmap, *, size, fraction):
    large = _large(heatmap.relu(), size)
    return _box(large > fraction * large.max())


def box_at_a_fifth(heatmap, *, size, fraction):
    large = _large(heatmap, size)
    return _box(large > 0.2 * large.max().clamp(min=0))


def box_of_a_bicubic_map(heatmap, *, size, fraction):
    large = _large(heatmap, size, mode="bicubic")
    return _box(large > fraction * large.max().clamp(min=0))


def converted_for_one_size(features, head):
    return nn.Sequential(features, nn.AvgPool2d((5, 7)), nn.Flatten(), head)


def converted_without_the_batch(features, head):
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(0), head)


class _Pooled(PooledThenLinear):
    def __init__(self, features, head, pool):
        super().__init__(features, head)
        self.pool = pool

    def forward(self, images):
        return self.head(self.pool(self.features(images)))


def converted_over_active_places(features, head):
    return _Pooled(features, head, lambda f: f.sum((2, 3)) / (f != 0).sum((2, 3)).clamp(min=1))


def converted_to_absolute_values(features, head):
    return _Pooled(features, head, lambda f: f.abs().mean((2, 3)))


def converted_and_squeezed(features, head):
    return _Pooled(features, head, lambda f: f.mean((2, 3)).squeeze())


def map_squeezed(activations, weights):
    return torch.einsum("nk,nkhw->nhw", weights, activations).squeeze()


def map_of_small_values(activations, weights):
    return torch.einsum("nk,nkhw->nhw", weights, activations.clamp(max=2))


def map_never_negative_nor_rectified(activations, weights):
    maps = torch.einsum("nk,nkhw->nhw", weights, activations)
    return maps - maps.amin((1, 2), keepdim=True).clamp(max=0)


def map_of_positive_features(activations, weights):
    return torch.einsum("nk,nkhw->nhw", weights, activations * (activations > 0))


def map_in_halves(activations, weights):
    return torch.einsum("nk,nkhw->nhw", weights.half().double(), activations).round(decimals=1)


def _trained(features, head, images, labels, *, steps, lr, weight_decay=0.0, tolerance=0.0):
    with torch.no_grad():
        pooled = copy.deepcopy(features).eval()(images).mean((2, 3))
    trained = copy.deepcopy(head)
    optimizer = torch.optim.SGD(trained.parameters(), lr=lr, weight_decay=weight_decay)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(trained(pooled), labels)
        loss.backward()
        if loss.item() < tolerance:
            break
        optimizer.step()
    return trained.weight.detach(), trained.bias.detach()


def trained_with_weight_decay(*args, **options):
    return _trained(*args, **options, weight_decay=1e-2)


def trained_until_it_is_small(*args, **options):
    return _trained(*args, **options, tolerance=2.0)


def trained_with_a_clipped_gradient(features, head, images, labels, *, steps, lr):
    with torch.no_grad():
        pooled = copy.deepcopy(features).eval()(images).mean((2, 3))
    trained = copy.deepcopy(head)
    for _ in range(steps):
        slopes = torch.autograd.grad(F.cross_entropy(trained(pooled), labels), list(trained.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(trained.parameters(), slopes, strict=True):
                parameter -= lr * slope / max(1.0, float(slope.norm()) / 0.1)
    return trained.weight.detach(), trained.bias.detach()


def trained_one_after_the_other(features, head, images, labels, *, steps, lr):
    with torch.no_grad():
        pooled = copy.deepcopy(features).eval()(images).mean((2, 3))
    trained = copy.deepcopy(head)
    for _ in range(steps):
        for parameter in (trained.weight, trained.bias):
            (slope,) = torch.autograd.grad(F.cross_entropy(trained(pooled), labels), parameter)
            parameter.data -= lr * slope
    return trained.weight.detach(), trained.bias.detach()


def trained_with_a_falling_rate(features, head, images, labels, *, steps, lr):
    trained = copy.deepcopy(head)
    for step in range(steps):
        rate = {"steps": 1, "lr": lr * (1 - step / steps)}
        weight, bias = _trained(features, trained, images, labels, **rate)
        trained.load_state_dict({"weight": weight, "bias": bias})
    return trained.weight.detach(), trained.bias.detach()


def weights_of_different_classes(head, targets):
    return head.weight.detach()[targets.unique()]


def weights_in_the_order_of_classes(head, targets):
    return head.weight.detach()[targets.sort().values]


def weights_by_a_mask(head, targets):
    return head.weight.detach()[torch.isin(torch.arange(len(head.weight)), targets)]


def weights_squeezed(head, targets):
    return head.weight.detach()[targets].squeeze()


def weights_of_the_sum_of_classes(head, targets):
    return F.one_hot(targets, len(head.weight)).sum(0).to(head.weight).expand(len(targets), -1) @ head.weight.detach()


def weights_in_halves(head, targets):
    return head.weight.detach().half().to(head.weight.dtype)[targets]


def weights_of_the_scores(head, targets):
    return torch.stack([head(row) for row in torch.eye(head.in_features).to(head.weight)], 1).detach()[targets]


def weights_unless_the_class_is_0(head, targets):
    return torch.stack([head.weight.detach()[int(c) or -1] for c in targets])


def box_of_a_map_in_halves(heatmap, *, size, fraction):
    large = _large(heatmap, size).half().double()
    return _box(large > fraction * large.max().clamp(min=0))


def box_of_a_small_map_in_halves(heatmap, *, size, fraction):
    return box_of_a_map_in_halves(heatmap.half().double(), size=size, fraction=fraction)


WRONG = {
    "cam.class_activation_map": (
        map_squeezed, map_of_small_values, map_never_negative_nor_rectified, map_of_positive_features, map_in_halves,
    ),
    "cam.convert_to_cam": (
        converted_for_one_size, converted_without_the_batch, converted_over_active_places, converted_to_absolute_values,
        converted_and_squeezed,
    ),
    "cam.train_head": (
        trained_with_weight_decay, trained_until_it_is_small, trained_with_a_clipped_gradient,
        trained_one_after_the_other, trained_with_a_falling_rate,
    ),
    "cam.box_from_map": (
        box_of_whole_numbers, box_of_whole_numbers_and_threshold, box_of_the_longest_outline, box_of_the_convex_hull,
        box_with_the_small_threshold, box_unless_the_small_map_is_empty, box_of_a_rectified_map, box_at_a_fifth,
        box_of_a_bicubic_map, box_of_a_map_in_halves, box_of_a_small_map_in_halves,
    ),
    "cam.class_weights": (
        weights_of_different_classes, weights_in_the_order_of_classes, weights_by_a_mask, weights_squeezed,
        weights_of_the_sum_of_classes, weights_in_halves, weights_of_the_scores, weights_unless_the_class_is_0,
    ),
}  # fmt: skip

"""Right answers to the exercises on class activation maps, written in different ways."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from skimage.measure import label
from torch import nn


def rows_by_index_select(head, targets):
    return torch.index_select(head.weight.detach(), 0, targets)


def rows_by_loop(head, targets):
    return torch.stack([head.weight[int(c)].detach().clone() for c in targets])


def rows_by_one_hot(head, targets):
    with torch.no_grad():
        return F.one_hot(targets, head.out_features).to(head.weight.dtype) @ head.weight


def rows_by_gradient(head, targets):
    a = torch.zeros(len(targets), head.in_features, dtype=head.weight.dtype, requires_grad=True)
    score = head(a).gather(1, targets[:, None]).sum()
    return torch.autograd.grad(score, a)[0]


def rows_in_float32(head, targets):
    return head.weight.detach().float()[targets]


def map_by_einsum(activations, weights):
    return torch.einsum("nkhw,nk->nhw", activations, weights)


def map_by_broadcast(activations, weights):
    return (weights[..., None, None] * activations).sum(dim=1)


def map_by_matmul(activations, weights):
    n, k, h, w = activations.shape
    return torch.bmm(weights.view(n, 1, k), activations.reshape(n, k, h * w)).view(n, h, w)


def map_by_loops(activations, weights):
    maps = torch.zeros_like(activations[:, 0])
    for n in range(len(activations)):
        for k in range(activations.shape[1]):
            maps[n] += weights[n, k] * activations[n, k]
    return maps


def map_by_convolution(activations, weights):
    each = zip(activations, weights, strict=True)
    return torch.cat([F.conv2d(a[None], w[None, :, None, None])[0] for a, w in each])


def map_in_float32(activations, weights):
    return (
        torch.tensordot(activations.float().permute(0, 2, 3, 1), weights.float().T, dims=1)
        .diagonal(0, 0, 3)
        .permute(2, 0, 1)
    )


class PooledThenLinear(nn.Module):
    def __init__(self, features, head):
        super().__init__()
        self.features, self.head = features, head

    def forward(self, images):
        return self.head(self.features(images).mean(dim=(2, 3)))


class LinearThenPooled(nn.Module):
    """The head as a 1x1 convolution: its outputs are the class maps (plus bias), their mean is the score."""

    def __init__(self, features, head):
        super().__init__()
        self.features, self.head = features, head

    def forward(self, images):
        maps = F.conv2d(self.features(images), self.head.weight[:, :, None, None], self.head.bias)
        return maps.mean((2, 3))


def converted_in_sequence(features, head):
    return nn.Sequential(features, nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(1), head)


def converted_unrolled(features, head):
    return nn.Sequential(*features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)


def converted_on_a_copy(features, head):
    return PooledThenLinear(copy.deepcopy(features), copy.deepcopy(head))


def converted_to_convolution(features, head):
    return LinearThenPooled(features, head)


def converted_to_a_function(features, head):
    def network(images):
        activations = features(images)
        return F.linear(F.avg_pool2d(activations, activations.shape[2:]).flatten(1), head.weight, head.bias)

    return network


def converted_in_float32(features, head):
    net = PooledThenLinear(copy.deepcopy(features).float(), copy.deepcopy(head).float())
    return lambda images: net(images.float())


def converted_to_a_copied_convolution(features, head):
    """A trainable 1 x 1 convolution that starts with the head's weights."""
    conv = nn.Conv2d(head.in_features, head.out_features, 1).to(head.weight)
    conv.load_state_dict({"weight": head.weight[:, :, None, None], "bias": head.bias})
    return nn.Sequential(features, conv, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def converted_with_a_trainable_head(features, head):
    return PooledThenLinear(features, copy.deepcopy(head).requires_grad_())


def trained_by_sgd(features, head, images, labels, *, steps, lr):
    head, backbone = copy.deepcopy(head), copy.deepcopy(features).eval()
    with torch.no_grad():
        a = backbone(images).mean((2, 3))
    optimizer = torch.optim.SGD(head.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.CrossEntropyLoss()(head(a), labels).backward()
        optimizer.step()
    return head.weight.detach(), head.bias.detach()


def trained_through_the_network(features, head, images, labels, *, steps, lr):
    net = PooledThenLinear(copy.deepcopy(features), copy.deepcopy(head)).eval()
    net.features.requires_grad_(False)
    for _ in range(steps):
        loss = F.cross_entropy(net(images), labels)
        slopes = torch.autograd.grad(loss, list(net.head.parameters()))
        with torch.no_grad():
            for p, slope in zip(net.head.parameters(), slopes, strict=True):
                p -= lr * slope
    return net.head.weight.detach(), net.head.bias.detach()


def trained_by_hand(features, head, images, labels, *, steps, lr):
    """The gradient on paper: ∂L/∂y = (softmax(y) - one-hot) / N."""
    with torch.no_grad():
        a = copy.deepcopy(features).eval()(images).mean((2, 3))
        W, b = head.weight.clone(), head.bias.clone()
        for _ in range(steps):
            slope = ((a @ W.T + b).softmax(1) - F.one_hot(labels, len(b))) / len(a)
            W, b = W - lr * slope.T @ a, b - lr * slope.sum(0)
    return W, b


def trained_in_place_and_restored(features, head, images, labels, *, steps, lr):
    """Switches the given backbone to eval mode and back, module by module."""
    flags = {m: m.training for m in features.modules()}
    features.eval()
    with torch.no_grad():
        a = features(images).mean((2, 3))
    for m, flag in flags.items():
        m.training = flag
    W, b = head.weight.detach().clone().requires_grad_(), head.bias.detach().clone().requires_grad_()
    for _ in range(steps):
        W.grad = b.grad = None
        F.nll_loss(F.log_softmax(F.linear(a, W, b), 1), labels).backward()
        W.data.sub_(lr * W.grad)
        b.data.sub_(lr * b.grad)
    return W.detach(), b.detach()


def trained_in_float32(features, head, images, labels, *, steps, lr):
    return trained_by_hand(
        copy.deepcopy(features).float(), copy.deepcopy(head).float(), images.float(), labels, steps=steps, lr=lr
    )


def _enlarged(heatmap, size):
    return F.interpolate(heatmap[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]


def box_by_scipy(heatmap, *, size, fraction):
    large = _enlarged(heatmap, size)
    if large.max() <= 0:
        return torch.zeros(4, dtype=torch.int64)
    numbered, _ = ndimage.label((large > fraction * large.max()).numpy())
    largest = np.bincount(numbered.ravel())[1:].argmax()
    rows, columns = ndimage.find_objects(numbered)[largest]
    return torch.tensor([rows.start, columns.start, rows.stop, columns.stop])


def box_by_nonzero(heatmap, *, size, fraction):
    """Diagonal neighbours count as connected."""
    large = _enlarged(heatmap, size)
    if not (large > 0).any():
        return torch.tensor([0, 0, 0, 0])
    numbered = torch.from_numpy(label((large > fraction * large.max()).numpy(), connectivity=2))
    part = torch.stack([numbered == i for i in range(1, int(numbered.max()) + 1)])
    inside = part[part.sum((1, 2)).argmax()].nonzero()
    return torch.cat([inside.amin(0), inside.amax(0) + 1])


def box_by_projections(heatmap, *, size, fraction):
    large = _enlarged(heatmap.clamp_min(-1e6), size)
    if large.max() <= 0:
        return torch.zeros(4, dtype=torch.long)
    numbered = label((large / large.max() > fraction).numpy(), connectivity=1)
    mask = numbered == np.bincount(numbered[numbered > 0]).argmax()
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return torch.tensor([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])


def box_by_flood(heatmap, *, size, fraction):
    """Own flood fill, no library."""
    large = _enlarged(heatmap, size)
    if large.max() <= 0:
        return torch.zeros(4, dtype=torch.int64)
    todo = {tuple(p) for p in (large > fraction * large.max()).nonzero().tolist()}
    best: list[tuple[int, int]] = []
    while todo:
        part, edge = [], [todo.pop()]
        while edge:
            row, column = edge.pop()
            part.append((row, column))
            for near in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
                if near in todo:
                    todo.remove(near)
                    edge.append(near)
        best = max(best, part, key=len)
    pixels = torch.tensor(best)
    return torch.cat([pixels.amin(0), pixels.amax(0) + 1])


def box_in_float32(heatmap, *, size, fraction):
    return box_by_scipy(heatmap.float(), size=size, fraction=fraction)


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "cam.class_weights": (rows_by_index_select, rows_by_loop, rows_by_one_hot, rows_by_gradient, rows_in_float32),
    "cam.class_activation_map": (
        map_by_einsum, map_by_broadcast, map_by_matmul, map_by_loops, map_by_convolution, map_in_float32,
    ),
    "cam.convert_to_cam": (
        converted_in_sequence, converted_unrolled, converted_on_a_copy, converted_to_convolution,
        converted_to_a_function, converted_to_a_copied_convolution, converted_with_a_trainable_head,
        converted_in_float32,
    ),
    "cam.train_head": (
        trained_by_sgd, trained_through_the_network, trained_by_hand, trained_in_place_and_restored, trained_in_float32,
    ),
    "cam.box_from_map": (box_by_scipy, box_by_nonzero, box_by_projections, box_by_flood, box_in_float32),
}  # fmt: skip

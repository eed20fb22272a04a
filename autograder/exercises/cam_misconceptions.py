"""Wrong answers that students of the lesson on class activation maps give, and what each of them is told."""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import nn

from autograder.records import Misconception as M


def _rows(head, targets):
    return head.weight.detach()[targets]


CLASS_WEIGHTS = (
    M("column_for_row", lambda head, targets: head.weight.detach().T[targets],
      "You took columns of W; a column is one channel seen by all classes. The weights w^c of class c are row c: W "
      "has one row a class."),
    M("first_target_for_all", lambda head, targets: _rows(head, targets)[:1].repeat(len(targets), 1),
      "You used the first target for every image; image n has its own class c = targets[n], so row n is "
      "W[targets[n]]."),
    M("absolute_weights", lambda head, targets: _rows(head, targets).abs(),
      "You took |w_k^c|; the sign matters: a negative w_k^c says that channel k speaks against class c."),
    M("positive_weights_only", lambda head, targets: F.relu(_rows(head, targets)),
      "You set the negative w_k^c to zero; keep them: a channel that speaks against class c belongs in the sum too."),
    M("bias_added", lambda head, targets: _rows(head, targets) + head.bias.detach()[targets, None],
      "You added the bias b_c to every w_k^c; the bias is no weight of a channel, it stays out of the map."),
    M("softmax_over_channels", lambda head, targets: _rows(head, targets).softmax(1),
      "You put the weights of a class through a softmax over the channels k; w_k^c is used as it stands in W."),
    M("softmax_over_classes", lambda head, targets: head.weight.detach().softmax(0)[targets],
      "You put W through a softmax over the classes; w_k^c is used as it stands in W."),
    M("unit_length", lambda head, targets: F.normalize(_rows(head, targets), dim=1),
      "You scaled each row to length 1; then the map no longer adds up to the score. Use w_k^c as it stands in W."),
    M("class_mean_subtracted", lambda head, targets: _rows(head, targets) - head.weight.detach().mean(0),
      "You subtracted the mean row of W; y^c is built from w^c alone, without a comparison with other classes."),
    M("class_counted_from_one", lambda head, targets: head.weight.detach()[targets - 1],
      "You took row c - 1; classes are counted from 0 here, as in y^c = scores[n, c], so class c has row c."),
    M("batch_mean", lambda head, targets: _rows(head, targets).mean(0).expand(len(targets), -1).clone(),
      "You averaged the rows over the batch; every image keeps the row of its own target."),
)  # fmt: skip


def _map(activations, weights):
    return torch.einsum("nk,nkhw->nhw", weights, activations)


def _min_max(maps):
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp_min(1e-12)


MAP = (
    M("relu_added", lambda activations, weights: F.relu(_map(activations, weights)),
      "You put a ReLU on the map (that is Grad-CAM); M_c keeps its negative values: there the image speaks against "
      "class c."),
    M("absolute_map", lambda activations, weights: _map(activations, weights).abs(),
      "You took |M_c|; evidence against class c now looks like evidence for it. Keep the sign."),
    M("absolute_weights", lambda activations, weights: _map(activations, weights.abs()),
      "You took |w_k^c|; a negative w_k^c must pull the map down where channel k is active."),
    M("positive_weights_only", lambda activations, weights: _map(activations, F.relu(weights)),
      "You dropped the channels with negative w_k^c; M_c sums over all k, whatever the sign."),
    M("mean_over_channels", lambda activations, weights: _map(activations, weights) / activations.shape[1],
      "You took the mean over the channels k; M_c is their sum Σ_k, without a division by K."),
    M("divided_by_positions", lambda activations, weights: _map(activations, weights) / activations[0, 0].numel(),
      "You divided by Z = h·w; the 1/Z belongs to the score y^c (the mean of the map), not to M_c itself."),
    M("first_target_for_all", lambda activations, weights: _map(activations, weights[:1].expand_as(weights)),
      "You used weights[0] for every image; image n has its own weights: w_k^c = weights[n, k]."),
    M("min_max_normalised", lambda activations, weights: _min_max(_map(activations, weights)),
      "You scaled the map to [0, 1]; that is for drawing (cnnviz.show_map does it). M_c holds the raw sums."),
    M("divided_by_maximum", lambda activations, weights:
      _map(activations, weights) / _map(activations, weights).amax((1, 2), keepdim=True).clamp_min(1e-12),
      "You divided by the largest value; that is for drawing. M_c holds the raw sums, so that their mean is y^c - "
      "b_c."),
    M("softmax_weights", lambda activations, weights: _map(activations, weights.softmax(1)),
      "You put w^c through a softmax over k first; the sum takes the w_k^c as they are given."),
    M("relu_on_features", lambda activations, weights: _map(F.relu(activations), weights),
      "You put a ReLU on f_k first; the sum takes f_k as it is given, negative values too."),
    M("absolute_features", lambda activations, weights: _map(activations.abs(), weights),
      "You took |f_k|; the sum takes f_k as it is given, with its sign."),
    M("transposed", lambda activations, weights: _map(activations, weights).transpose(1, 2),
      "Your map has rows and columns swapped; f_k is [h w] (rows, then columns), and so is M_c."),
    M("pooled_first", lambda activations, weights:
      _map(activations.mean((2, 3), keepdim=True).expand_as(activations), weights),
      "You averaged f_k over the positions first; then every place gets the same value. M_c(x, y) uses f_k(x, y) at "
      "that place."),
    M("largest_channel", lambda activations, weights: (weights[:, :, None, None] * activations).amax(1),
      "You took the largest w_k^c f_k(x, y) over k; M_c(x, y) is the sum over all channels."),
    M("weights_forgotten", lambda activations, weights: activations.sum(1),
      "You summed the f_k without their weights; then the map is the same for every class. Multiply f_k by w_k^c."),
)  # fmt: skip


class _Wrong(nn.Module):
    """A converted network with something wrong between features and scores."""

    def __init__(self, features, head, pool=lambda a: a.mean((2, 3)), last=lambda scores: scores):
        super().__init__()
        self.features, self.head, self.pool, self.last = features, head, pool, last

    def forward(self, images):
        return self.last(self.head(self.pool(self.features(images))))


def _without_bias(features, head):
    return _Wrong(features, lambda a: F.linear(a, head.weight))


CONVERT = (
    M("max_for_average_pool", lambda features, head: _Wrong(features, head, pool=lambda a: a.amax((2, 3))),
      "You pooled with the maximum; CAM needs the mean over all positions: a_k = (1/Z) Σ_xy f_k(x, y)."),
    M("sum_for_average_pool", lambda features, head: _Wrong(features, head, pool=lambda a: a.sum((2, 3))),
      "You summed over the positions; a_k is their mean: divide by Z = h·w."),
    M("before_the_last_relu", lambda features, head: _Wrong(features[:-1], head),
      "You left out the last layer of `features`; f_k is what all its layers together give."),
    M("without_bias", _without_bias,
      "You dropped the head's bias; the map leaves b_c out, but the score is y^c = Σ_k w_k^c a_k + b_c."),
    M("softmax_on_scores", lambda features, head: _Wrong(features, head, last=lambda s: s.softmax(1)),
      "Your network ends in a softmax; y^c is the score before it, straight from the linear layer."),
    M("log_softmax_on_scores", lambda features, head: _Wrong(features, head, last=lambda s: s.log_softmax(1)),
      "Your network ends in a log-softmax; y^c is the score before it, straight from the linear layer."),
    M("relu_on_scores", lambda features, head: _Wrong(features, head, last=F.relu),
      "Your network ends in a ReLU; the linear layer is the last one, y^c may be negative."),
    M("relu_before_pooling", lambda features, head: _Wrong(features, head, pool=lambda a: F.relu(a).mean((2, 3))),
      "You put a ReLU before the mean; a_k is the mean of f_k as `features` gives it, and some features are negative."),
    M("one_position_only", lambda features, head: _Wrong(features, head, pool=lambda a: a[:, :, 0, 0]),
      "You took f_k at the first position only; a_k is the mean over all Z positions."),
    M("batch_mean", lambda features, head: _Wrong(features, head, pool=lambda a: a.mean((0, 2, 3)).expand(a.shape[:2])),
      "You averaged over the batch as well; a_k is a mean over the positions (x, y) of one image: dimensions 2 and "
      "3."),
    M("pooled_by_rows_only", lambda features, head: _Wrong(features, head, pool=lambda a: a.mean(2)[:, :, 0]),
      "You averaged over the rows, then took one column; a_k is the mean over rows and columns."),
    M("root_mean_square", lambda features, head: _Wrong(features, head, pool=lambda a: a.square().mean((2, 3)).sqrt()),
      "You pooled with the root of the mean square; a_k is the plain mean of f_k."),
)  # fmt: skip


def _pooled(features, images, *, training=False):
    with torch.no_grad():
        return copy.deepcopy(features).train(training)(images).mean((2, 3))


def _descend(pooled, head, labels, *, steps, lr, loss=F.cross_entropy, optimizer=None, clear=True, stop=False):
    """Head trained on pooled features; each mistake changes one of the options."""
    trained = copy.deepcopy(head).requires_grad_(True)
    optimizer = (optimizer or (lambda p, lr: torch.optim.SGD(p, lr=lr)))(list(trained.parameters()), lr)
    lowest = float("inf")
    for _ in range(steps):
        if clear:
            optimizer.zero_grad()
        cost = loss(trained(pooled), labels)
        if stop and cost.item() > lowest:
            break
        lowest = cost.item()
        cost.backward()
        optimizer.step()
    return trained.weight.detach(), trained.bias.detach()


def _training(**wrong):
    """A wrong `train_head` that differs from the right one in one option of `_descend`."""

    def train_head(features, head, images, labels, *, steps, lr):
        return _descend(_pooled(features, images), head, labels, **{"steps": steps, "lr": lr, **wrong})

    return train_head


def _in_training_mode(features, head, images, labels, *, steps, lr):
    return _descend(_pooled(features, images, training=True), head, labels, steps=steps, lr=lr)


def _backbone_drifts(features, head, images, labels, *, steps, lr):
    features, head = copy.deepcopy(features).eval().requires_grad_(True), copy.deepcopy(head).requires_grad_(True)
    optimizer = torch.optim.SGD([*features.parameters(), *head.parameters()], lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(head(features(images).mean((2, 3))), labels).backward()
        optimizer.step()
    return head.weight.detach(), head.bias.detach()


def _head_from_zero(features, head, images, labels, *, steps, lr):
    fresh = copy.deepcopy(head)
    with torch.no_grad():
        fresh.weight.zero_(), fresh.bias.zero_()
    return _descend(_pooled(features, images), fresh, labels, steps=steps, lr=lr)


def _bias_left(features, head, images, labels, *, steps, lr):
    right = _training(optimizer=lambda p, lr: torch.optim.SGD(p[:1], lr=lr))
    return right(features, head, images, labels, steps=steps, lr=lr)


def _steps_changed(by):
    def train_head(features, head, images, labels, *, steps, lr):
        return _descend(_pooled(features, images), head, labels, steps=steps + by, lr=lr)

    return train_head


def _pooled_by(pool):
    def train_head(features, head, images, labels, *, steps, lr):
        with torch.no_grad():
            pooled = pool(copy.deepcopy(features).eval()(images))
        return _descend(pooled, head, labels, steps=steps, lr=lr)

    return train_head


def _one_image_a_step(features, head, images, labels, *, steps, lr):
    pooled, trained = _pooled(features, images), copy.deepcopy(head)
    for step in range(steps):
        n = slice(step % len(images), step % len(images) + 1)
        weight, bias = _descend(pooled[n], trained, labels[n], steps=1, lr=lr)
        with torch.no_grad():
            trained.weight.copy_(weight), trained.bias.copy_(bias)
    return trained.weight.detach(), trained.bias.detach()


def _one_hot(labels, scores):
    return F.one_hot(labels, scores.shape[1]).to(scores)


TRAIN = (
    M("backbone_drifts", _backbone_drifts,
      "You moved the convolutions too; then f_k is another one at every step. Only W and b of the head may move."),
    M("backbone_in_training_mode", _in_training_mode,
      "Your backbone ran in training mode: its BatchNorm used this batch's mean and variance. Use eval mode, so "
      "that f_k stays fixed."),
    M("sum_for_mean_loss", _training(loss=lambda s, t: F.cross_entropy(s, t, reduction="sum")),
      "You summed the loss over the images; L is their mean: divide by N."),
    M("gradients_not_cleared", _training(clear=False),
      "Your gradients pile up from step to step; a step uses ∂L/∂W of that step alone: clear them before backward."),
    M("momentum", _training(optimizer=lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9)),
      "You used momentum; a plain step is W ← W - lr · ∂L/∂W, with nothing kept from earlier steps."),
    M("adam", _training(optimizer=lambda p, lr: torch.optim.Adam(p, lr=lr)),
      "You used Adam, which rescales every gradient; a plain step is W ← W - lr · ∂L/∂W (torch.optim.SGD)."),
    M("ascends", _training(optimizer=lambda p, lr: torch.optim.SGD(p, lr=lr, maximize=True)),
      "You went up the loss; the step is W ← W - lr · ∂L/∂W, with a minus."),
    M("softmax_before_cross_entropy", _training(loss=lambda s, t: F.cross_entropy(s.softmax(1), t)),
      "You gave probabilities to the cross-entropy; it takes the scores y^c and applies the softmax itself."),
    M("squared_error", _training(loss=lambda s, t: F.mse_loss(s, _one_hot(t, s))),
      "You minimised a squared error; L is the cross-entropy -log softmax(y)[label], averaged over the images."),
    M("binary_cross_entropy", _training(loss=lambda s, t: F.binary_cross_entropy_with_logits(s, _one_hot(t, s))),
      "You treated each class as a yes-or-no question; L is the cross-entropy of one softmax over all classes."),
    M("head_from_zero", _head_from_zero,
      "You started from W = 0; start from the weight and bias of the head that is given."),
    M("bias_not_trained", _bias_left,
      "Your bias stayed where it was; both W and b take a step: b ← b - lr · ∂L/∂b."),
    M("stops_when_the_loss_rises", _training(stop=True),
      "You stopped as soon as the loss rose; take all `steps`: a long step may overshoot and come back."),
    M("one_step_short", _steps_changed(-1),
      "You took one step fewer than `steps`."),
    M("one_step_more", _steps_changed(1),
      "You took one step more than `steps`."),
    M("relu_before_pooling", _pooled_by(lambda f: F.relu(f).mean((2, 3))),
      "You put a ReLU before the mean; a_k is the mean of f_k as `features` gives it, and some features are negative."),
    M("max_for_average_pool", _pooled_by(lambda f: f.amax((2, 3))),
      "You pooled f_k with the maximum; the head reads the mean a_k = (1/Z) Σ_xy f_k(x, y)."),
    M("one_image_a_step", _one_image_a_step,
      "You showed one image a step; every step uses all images (full batch): L is the mean over all of them."),
)  # fmt: skip

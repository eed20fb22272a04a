"""Give any convolutional network the head that CAM needs: global average pooling and one linear layer."""

from __future__ import annotations

from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass
from threading import get_ident

import torch
from torch import Tensor, nn

from cnnviz_ref._axes import Following
from cnnviz_ref._channels import channels_that_run
from cnnviz_ref._mechanism import (
    Layer,
    check_grid,
    check_numbers,
    check_output,
    find_layer,
    hooked,
    layer_name,
    not_run,
    undisturbed,
)
from cnnviz_ref._undisturbed import ONE_AT_A_TIME

TRIAL_SIZE = 224
"""Height and width of the blank image that is sent through the network to learn what its layer gives."""


def convert_to_cam(model: nn.Module, layer: Layer) -> CamNet:
    r"""A new network that scores the averages of a layer's maps with one fresh linear layer, to be retrained.

    Formula:
        $y = W \, \mathrm{GAP}(A) + b$, with $A$ the output of the layer; $W = 0$ and $b = 0$ until it is trained, so
        no random numbers are drawn and the first loss is $\log$ of the number of classes.

    Args:
        model: Any network that takes images `[N C H W]`; left as found, nothing is shared with the result.
        layer: As in every method (`help(cnnviz_ref)`): its maps `[N K h w]` are kept, what comes after it is dropped.

    Returns:
        The network: `.features` (the model up to the layer), `.pool`, `.classifier`, in the model's mode, dtype, device
        and with its frozen parameters frozen. `cam(network, images, targets, "features")`; the kept layers also answer
        to their old names. Retrain `network.classifier` before believing a map.

    Raises:
        ValueError: No such layer, or it gives no maps, or the model reads no images.

    Paper: Zhou et al., "Learning Deep Features for Discriminative Localization", 2016, section 3.

    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    >>> convert_to_cam(net, "1").classifier
    Linear(in_features=4, out_features=10, bias=True)
    """
    layer = layer_name(model, layer)
    find_layer(model, layer)
    check_numbers(model)
    if not any(weight.ndim == 4 for weight in model.parameters()):
        raise ValueError("model: has no convolution, needs one to make maps; pass a convolutional network.")
    with ONE_AT_A_TIME, torch.inference_mode(False):  # no copy of flags that another thread has changed for a moment
        network = deepcopy(model)
    trial = _trial(network, layer)
    _drop_unused(network, layer, trial.used)
    converted = CamNet(UpTo(network, layer, trial.runs), _zero_head(trial.A, trial.classes))
    for new in (converted, converted.features, converted.pool, converted.classifier):
        new.training = network.training
    return converted


class CamNet(nn.Module):
    """Features, global average pooling, one linear layer."""

    def __init__(self, features: UpTo, classifier: nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        """Scores `[N classes]`."""
        return self.classifier(self.pool(self.features(images)).flatten(1))

    def get_submodule(self, target: str) -> nn.Module:
        """A layer by its name here or, failing that, by its name in the network that was converted."""
        try:
            return super().get_submodule(target)
        except AttributeError:
            return self.features.network.get_submodule(target)


class UpTo(nn.Module):
    """A network that stops at a layer and returns that layer's output."""

    def __init__(self, network: nn.Module, layer: str, runs: int) -> None:
        super().__init__()
        self.network = network
        self.layer = layer
        self.runs = runs

    def forward(self, images: Tensor) -> Tensor:
        """The output of the layer's last run, `[N K h w]`."""
        outputs: list[Tensor] = []
        thread = get_ident()

        def stop(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            if get_ident() != thread:  # two threads with one network: each has a hook of its own
                return
            outputs.append(output)
            if len(outputs) == self.runs:
                raise _Reached

        with hooked(self.network, self.layer, stop):
            try:
                self.network(images)
            except _Reached:
                return outputs[-1]
        raise ValueError(f"layer {self.layer!r} ran {len(outputs)} times, {self.runs} when converted; convert anew.")


@dataclass(frozen=True)
class _Trial:
    """Facts about a network, found by running one blank image."""

    A: Tensor
    """The layer's last output."""
    runs: int
    """How often the layer ran."""
    used: set[nn.Module]
    """Modules that had begun to run by then."""
    classes: int
    """Width of the scores."""


def _zero_head(A: Tensor, classes: int) -> nn.Linear:
    head = nn.utils.skip_init(nn.Linear, A.shape[1], classes, device=A.device, dtype=A.dtype)
    for parameter in head.parameters():
        nn.init.zeros_(parameter)
    return head


class _Reached(Exception):
    """Ends a forward pass at the layer that was asked for."""


def _trial(network: nn.Module, layer: str) -> _Trial:
    """Sends a blank image through the network; what fails after the layer does not matter, it will be dropped."""
    outputs: list[object] = []
    ran: set[nn.Module] = set()
    used: set[nn.Module] = set()
    scores: object = None

    following = Following()

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        outputs.append(output)
        used.update(ran)

    def run(image: Tensor) -> None:
        nonlocal scores
        ran.clear()
        used.clear()
        try:
            scores = network(following.start(image))
        except Exception:
            if not outputs:
                raise

    with ExitStack() as stack:
        for context in (undisturbed(network), hooked(network, layer, keep), torch.no_grad(), following):
            stack.enter_context(context)
        for module in network.modules():
            stack.callback(module.register_forward_pre_hook(lambda module, _inputs: ran.add(module)).remove)
        try:
            channels_that_run(network, (TRIAL_SIZE, TRIAL_SIZE), run)
        except Exception as error:
            raise ValueError(
                f"layer {layer!r}: a blank {TRIAL_SIZE} x {TRIAL_SIZE} image did not get there ({error}); "
                "choose a layer before those that need another size."
            ) from error
    if not outputs:
        raise ValueError(not_run(layer))
    A = check_output(outputs[-1], layer)
    check_grid(A, layer)
    following.check(A, layer)
    return _Trial(A, len(outputs), used, _classes(network, scores))


def _classes(network: nn.Module, scores: object) -> int:
    """As many as the scores if the trial got that far, else as many as the last linear layer or convolution gives."""
    if isinstance(scores, Tensor) and scores.ndim == 2:
        return scores.shape[1]
    heads = [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    return len(heads[-1].weight)


def _drop_unused(network: nn.Module, layer: str, used: set[nn.Module]) -> None:
    """Forgets what runs after the layer, so that no dead weights are kept, moved or shown to an optimizer."""
    names = layer.split(".")
    for depth in range(len(names)):
        parent = network.get_submodule(".".join(names[:depth]))
        for name, child in list(parent.named_children()):
            if used.isdisjoint(child.modules()):
                setattr(parent, name, nn.Identity())

"""What public libraries offer for a method, called the way they are meant to be, on the same network object.

A peer's result is brought to the form of ours (the maximum over the colours, a squeezed axis) inside the timed call,
since a user would have to do that as well.
"""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any

import captum.attr
import numpy
import torch
import torchcam.methods
import zennit.attribution
import zennit.composites
import zennit.rules
import zennit.torchvision
import zennit.types
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from torchvision.models.feature_extraction import create_feature_extractor

from racing.task import Call, Contestant, Task, fastest

warnings.filterwarnings("ignore", message="Setting")  # captum says at every call that it sets hooks


def torchvision_features(t: Task) -> Call:
    """The layer's output from a graph that ends there."""
    extract = create_feature_extractor(t.model, [t.layer])
    return torch.no_grad()(lambda: extract(t.images)[t.layer])


def torchvision_embed(t: Task) -> Call:
    """The same, averaged over places."""
    features = torchvision_features(t)
    return lambda: features().mean(dim=(2, 3))


def sklearn_neighbors(t: Task, *, k: int) -> Call:
    """NearestNeighbors by brute force, which it chooses itself for long features; features are given at every call."""
    data, queries = t.targets.cpu().numpy(), t.images.cpu().numpy()
    index = NearestNeighbors(n_neighbors=k, algorithm="brute")
    return lambda: index.fit(data).kneighbors(queries)[0]


def numpy_masks(t: Task, *, quantile: float) -> Call:
    """numpy.quantile over images and places."""
    A = torchvision_features(t)().cpu().numpy()
    return lambda: numpy.quantile(A, quantile, axis=(0, 2, 3), keepdims=True) < A


def captum_activation(t: Task) -> Call:
    """LayerActivation."""
    method = captum.attr.LayerActivation(t.model, t.model.get_submodule(t.layer))
    return torch.no_grad()(lambda: method.attribute(t.images))


def captum_saliency(t: Task) -> Call:
    """Saliency, with the maximum over the colours."""
    method = captum.attr.Saliency(t.model)
    return lambda: method.attribute(_leaf(t), target=t.targets).amax(dim=1)


def captum_input(name: str, **options: Any) -> Contestant:
    """A method of captum that gives `[N C H W]`."""

    def contestant(t: Task) -> Call:
        method = getattr(captum.attr, name)(t.model)
        return lambda: method.attribute(_leaf(t), target=t.targets, **options).detach()

    return contestant


def captum_guided_grad_cam(t: Task) -> Call:
    """GuidedGradCam with bilinear upsampling."""
    method = captum.attr.GuidedGradCam(t.model, t.model.get_submodule(t.layer))
    return lambda: method.attribute(_leaf(t), target=t.targets, interpolate_mode="bilinear").detach()


def captum_grad_cam(t: Task) -> Call:
    """LayerGradCam."""
    method = captum.attr.LayerGradCam(t.model, t.model.get_submodule(t.layer))
    return lambda: method.attribute(t.images, target=t.targets, relu_attributions=True)[:, 0].detach()


def captum_occlusion(t: Task, *, window: int, stride: int, at_once: tuple[int, ...]) -> Call:
    """Occlusion at its fastest `perturbations_per_eval`."""
    method, C = captum.attr.Occlusion(t.model), t.images.shape[1]

    def call_at(n: int, stride: int) -> Call:
        shapes: dict[str, Any] = {"sliding_window_shapes": (C, window, window), "strides": (C, stride, stride)}
        call = partial(method.attribute, t.images, target=t.targets, perturbations_per_eval=n, **shapes)
        return torch.no_grad()(lambda: call()[:, 0])

    return call_at(fastest({n: call_at(n, 2 * stride) for n in at_once}), stride)


def torchcam_cam(t: Task) -> Call:
    """CAM; hooks are set for the call alone, so that they do not slow the others."""
    head = [name for name, _ in t.model.named_children()][-1]

    def call() -> Tensor:
        with torch.no_grad(), torchcam.methods.CAM(t.model, t.layer, fc_layer=head, enable_hooks=True) as method:
            t.model(t.images)
            return method(t.targets.tolist(), normalized=False)[0]

    return call


def torchcam_grad_cam(t: Task) -> Call:
    """GradCAM."""

    def call() -> Tensor:
        with torchcam.methods.GradCAM(t.model, t.layer, enable_hooks=True) as method:
            return method(t.targets.tolist(), t.model(t.images), normalized=False)[0].detach()

    return call


def pytorch_grad_cam_raw(t: Task) -> Call:
    """GradCAM up to its raw map; what it returns is normalised and upsampled."""
    import pytorch_grad_cam  # takes seconds
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    classes = [ClassifierOutputTarget(int(c)) for c in t.targets]
    module = t.model.get_submodule(t.layer)

    def call() -> Tensor:
        with pytorch_grad_cam.GradCAM(t.model, [module]) as method:
            held = method.activations_and_grads
            t.model.zero_grad()
            sum(target(scores) for target, scores in zip(classes, held(t.images), strict=True)).backward()
            A, dA = held.activations[-1].cpu().numpy(), held.gradients[0].cpu().numpy()
            return torch.from_numpy(method.get_cam_image(t.images, module, classes, A, dA)).relu()

    return call


def zennit_guided(t: Task) -> Call:
    """GuidedBackprop."""
    return _zennit(t, zennit.composites.GuidedBackprop())


def zennit_deconvnet(t: Task) -> Call:
    """DeconvNet."""
    return _zennit(t, zennit.composites.DeconvNet())


def zennit_lrp(rule: Any) -> Contestant:
    """One rule for every layer with weights, BatchNorm merged."""

    def contestant(t: Task) -> Call:
        canonizers = {
            "vgg11_bn": [zennit.torchvision.VGGCanonizer()],
            "resnet18": [zennit.torchvision.ResNetCanonizer()],
        }
        layers = [
            (zennit.types.Activation, zennit.rules.Pass()),
            (zennit.torchvision.Sum, zennit.rules.Norm(stabilizer=1e-12)),
            (zennit.types.AvgPool, zennit.rules.Norm(stabilizer=1e-12)),
            (zennit.types.Linear, rule),
        ]
        composite = zennit.composites.LayerMapComposite(layers, canonizers=canonizers.get(t.network, []))
        return _zennit(t, composite, relevance=True)

    return contestant


def _zennit(t: Task, composite: Any, *, relevance: bool = False) -> Call:
    def call() -> Tensor:
        x = _leaf(t)
        with composite.context(t.model) as model:
            y = model(x)
            at = torch.zeros_like(y).scatter(1, t.targets[:, None], 1.0)
            return torch.autograd.grad(y, x, at * y.detach() if relevance else at)[0]

    return call


def _leaf(t: Task) -> Tensor:
    return t.images.clone().requires_grad_()

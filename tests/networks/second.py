"""Every method a second time, slowly and by other means: plain hooks, autograd, loops; nothing of `cnnviz_ref` is used.

Each takes `net, images [1 C H W], targets [1], layer` and returns what the row of `METHODS` is to return.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import SqueezeExcitation


def output(net: nn.Module, images: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """The layer's output, with its graph, and the scores."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, A: Tensor) -> Tensor:
        kept.append(A)
        return A.clone()  # a ReLU in place may follow

    handle = net.get_submodule(layer).register_forward_hook(keep)
    scores = net(images)
    handle.remove()
    return kept[-1], scores


def gradient(y: Tensor, x: Tensor) -> Tensor:
    return torch.autograd.grad(y, x, retain_graph=True)[0]


def filters(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    return next(weight for name, weight in net.named_parameters() if weight.ndim == 4).detach()


def activations(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    kept: list[Tensor] = []
    handle = net.get_submodule(layer).register_forward_hook(lambda *args: kept.append(args[-1].detach().clone()))
    net(images)
    handle.remove()
    return kept[-1]


def embed(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    return torch.stack(
        [torch.stack([channel.mean() for channel in maps]) for maps in activations(net, images, targets, layer)]
    )


def nearest_neighbors(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    q = embed(net, images, targets, layer)[0]
    noise = torch.randn(5, len(q), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    distances = [((q.double() - row.to(q.dtype).double()) ** 2).sum().sqrt().item() for row in noise]
    return torch.tensor([sorted(distances)[:3]], dtype=torch.float64)


def activation_masks(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    A = activations(net, images, targets, layer)
    T = [np.quantile(A[:, k].double().numpy(), 0.9) for k in range(A.shape[1])]
    return torch.stack([A[:, k].double() > T[k] for k in range(A.shape[1])], dim=1)


def class_visualization(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    noise = torch.randn(images.shape[1:], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    I = (0.01 * noise).to(images.dtype)
    for _ in range(3):
        leaf = I[None].clone().requires_grad_()
        J = net(leaf.clone())[0, targets[0]] - 1e-3 * (leaf**2).sum()
        I = I + 0.1 * gradient(J, leaf)[0]
    return I


def occlusion(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    H, W = images.shape[2:]
    h, w = H // 2, W // 2
    total, count = torch.zeros(1, H, W, dtype=images.dtype), torch.zeros(1, H, W, dtype=images.dtype)
    y = net(images)[0, targets[0]]
    for i in (0, h):
        for j in (0, w):
            hidden = images.clone()
            hidden[:, :, i : i + h, j : j + w] = 0
            total[:, i : i + h, j : j + w] += (y - net(hidden)[0, targets[0]]).detach()
            count[:, i : i + h, j : j + w] += 1
    return total / count


def image_gradient(net: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    x = images.clone().requires_grad_()
    return gradient(net(x.clone())[0, targets[0]], x)


def saliency(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    return image_gradient(net, images, targets).abs().max(dim=1).values


def guided_backprop(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """On autograd's graph: whatever wrote a ReLU, its node has a name."""
    x = images.clone().requires_grad_()
    y = net(x.clone())[0, targets[0]]
    for node in _nodes(y.grad_fn):
        if node.name() in ("ReluBackward0", "HardtanhBackward0"):
            node.register_prehook(lambda g: (g[0].clamp(min=0),))
    return gradient(y, x)


def _nodes(node: Any) -> set[Any]:
    found, waiting = set(), [node]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += [before for before, _ in node.next_functions]
    return found


def cam(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    A = activations(net, images, targets, layer)
    heads = [m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    w = heads[-1].weight.flatten(1)[targets[0]]
    return sum(w[k] * A[:, k] for k in range(A.shape[1])).detach()  # type: ignore[union-attr,return-value]


def grad_cam(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    A, scores = output(net, images.clone().requires_grad_(), layer)
    alpha = gradient(scores[0, targets[0]], A).mean(dim=(2, 3))[0]
    return torch.clamp(sum(alpha[k] * A[:, k] for k in range(A.shape[1])), min=0).detach()  # type: ignore[arg-type]


def guided_grad_cam(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    L = grad_cam(net, images, targets, layer)
    up = F.interpolate(L[:, None], images.shape[2:], mode="bilinear", align_corners=False)
    return guided_backprop(net, images, targets, layer) * up


def deeplift(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """The scores of the image and of the baseline, whose difference is what the contributions sum to."""
    with torch.no_grad():
        return torch.cat([net(images)[:, targets[0]], net(torch.zeros_like(images))[:, targets[0]]])


def lrp(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """LRP-0 is gradient x input of the network whose gates, `f(z) / z` and the factors of products, are constants."""
    frozen = deepcopy(net)
    for module in list(frozen.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, SqueezeExcitation):
                child.forward = lambda x, child=child: child._scale(x).detach() * x  # type: ignore[method-assign]
            elif isinstance(child, nn.SiLU | nn.GELU | nn.Hardswish | nn.ReLU6 | nn.ELU):
                child.inplace = False
                setattr(module, name, Gate(child))
    return images * image_gradient(frozen, images, targets)


class Gate(nn.Module):
    def __init__(self, f: nn.Module) -> None:
        super().__init__()
        self.f = f

    def forward(self, z: Tensor) -> Tensor:
        return z * (self.f(z) / z).detach()


def max_patches(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """The derivative of the strongest unit: it lies inside the patch."""
    A, _ = output(net, x := images.clone().requires_grad_(), layer)
    return gradient(A[0, strongest_channel(A)].max(), x)


def strongest_channel(A: Tensor) -> int:
    return int(A.amax(dim=(0, 2, 3)).argmax())


SECOND: dict[str, Callable[[nn.Module, Tensor, Tensor, str], Tensor]] = {
    "filters": filters, "embed": embed, "nearest_neighbors": nearest_neighbors, "activations": activations,
    "activation_masks": activation_masks, "max_patches": max_patches, "class_visualization": class_visualization,
    "occlusion": occlusion, "saliency": saliency, "guided_backprop": guided_backprop, "cam": cam,
    "convert_to_cam": activations, "grad_cam": grad_cam, "guided_grad_cam": guided_grad_cam, "deeplift": deeplift,
    "lrp": lrp,
}  # fmt: skip

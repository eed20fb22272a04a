"""What every method needs: checked arguments, an undisturbed model, a layer's output, the score of a class.

Promises kept for all methods, here and in `_undisturbed.py`: maps are those of the model in eval mode, whatever mode it
is in; its training flags, `requires_grad`, `.grad`, buffers and hooks are as before on return, also after an exception;
the caller may be under `torch.no_grad()`, `torch.inference_mode()` or `torch.autocast`, in one thread of many; the
model only ever sees a copy of the images.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from cnnviz_ref._axes import Following
from cnnviz_ref._last_layer import last_convolutional_layer
from cnnviz_ref._undisturbed import undisturbed as undisturbed
from cnnviz_ref._undisturbed import without_autocast as without_autocast

Layer: TypeAlias = str | nn.Module | None
"""A layer of a model: its dotted name, or the module itself; None is the last convolutional one, where images are."""


@contextmanager
def hooked(model: nn.Module, layer: str, hook: Callable[..., Any]) -> Iterator[None]:
    """A forward hook on a layer, gone afterwards whatever happens."""
    module = find_layer(model, layer)
    try:
        handle = module.register_forward_hook(hook)
    except RuntimeError as error:
        raise ValueError(_scripted(layer, layer)) from error
    try:
        yield
    finally:
        handle.remove()


def run_from(model: nn.Module, images: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """The layer's output `A`, made a leaf of the graph, and the scores `[N classes]` computed from it.

    One forward pass; the graph begins at `A`, so a backward pass never goes below the layer. A layer that runs several
    times counts with its last output. Call it inside `undisturbed(model)`.
    """
    kept: list[Tensor] = []
    following = Following()

    def keep(_module: nn.Module, _inputs: object, output: object) -> Tensor:
        given = check_output(output, layer)
        following.check(given, layer)
        A = given.detach().to(images.dtype, copy=True).requires_grad_()
        kept[:] = [A]
        with torch.enable_grad():
            return A.to(given.dtype, copy=True)  # an in-place ReLU after the layer overwrites the copy, not A

    with hooked(model, layer, keep), following:
        scores = model(following.start(images.detach().clone()))
    if not kept:
        raise ValueError(not_run(layer))
    return kept[0], check_scores(scores, len(images))


def not_run(layer: str) -> str:
    """What to say of a layer that gave nothing."""
    return f"layer {layer!r} did not run in the model's forward pass; choose a layer that runs."


def gradient(y: Tensor, x: Tensor, what: str, *, start: Tensor | None = None, again: bool = False) -> Tensor:
    """`dy/dx`, times `start` if `y` is no scalar; no `.grad` is touched. With `again`, the graph stays for one more."""
    apart = not (y.requires_grad and x.requires_grad)
    found = None if apart else torch.autograd.grad(y, x, start, allow_unused=True, retain_graph=again)[0]
    if found is None:
        raise ValueError(f"{what}: no gradient arrives from the score; choose one that the score is computed from.")
    return found


def target_scores(scores: object, targets: Tensor) -> Tensor:
    """`y^c` of each image: `[N classes], [N] -> [N]`, the score before softmax."""
    scores = check_scores(scores, len(targets))
    classes = scores.shape[1]
    if targets.min() < 0 or targets.max() >= classes:
        raise ValueError(
            f"targets: got {targets.tolist()}, but the model has classes 0 to {classes - 1}; choose there."
        )
    return scores.gather(1, targets.to(scores.device)[:, None])[:, 0]


def layer_name(model: nn.Module, layer: Layer, images: Tensor | None = None) -> str:
    """The dotted name of a layer, given in any of the three ways, or a ValueError; names are not looked up."""
    if layer is None and images is not None:
        return last_convolutional_layer(model, images)
    if not isinstance(layer, nn.Module):
        return layer  # type: ignore[return-value]  # find_layer refuses what is no name
    check_model(model)
    found = [name for name, module in model.named_modules() if module is layer and name]
    if not found:
        kind = type(layer).__name__
        raise ValueError(f"layer: got a {kind} that is not inside the model; pass one of the model's own, or its name.")
    return found[0]


def find_layer(model: nn.Module, layer: str) -> nn.Module:
    """The submodule of that dotted name.

    Raises:
        ValueError: no such layer, and the message lists the model's layers; or it is inside a scripted module.
    """
    check_model(model)
    modules = dict(model.named_modules())  # a scripted model has no get_submodule
    for name, module in modules.items():
        if isinstance(module, torch.jit.ScriptModule) and str(layer).startswith(f"{name}." if name else ""):
            raise ValueError(_scripted(layer, name))
    try:
        if isinstance(layer, str) and layer:
            return modules[layer] if layer in modules else model.get_submodule(layer)
    except AttributeError:
        pass
    names = [name for name, _ in model.named_modules() if name]
    near = get_close_matches(str(layer), names, n=1)
    listed = ", ".join(sorted(names, key=lambda name: name.count("."))[:40])
    raise ValueError(
        f"layer: got {layer!r}, but the model's layers are {listed}"
        + (f" and {len(names) - 40} more inside these" if len(names) > 40 else "")
        + (f"; did you mean {near[0]!r}?" if near else "; choose one of them.")
    )


def _scripted(layer: str, place: str) -> str:
    place = f"module {place!r}" if place else "the model"
    return f"layer {layer!r}: got a part of {place}, which is scripted and takes no hook; pass it as it was before."


def check_model(model: object) -> None:
    """A torch module that can run, or a ValueError."""
    if not isinstance(model, nn.Module):
        raise ValueError(f"model: got {type(model).__name__}, needs a torch.nn.Module; pass the network itself.")
    for name, weight in model.named_parameters():
        if is_lazy(weight):
            raise ValueError(f"model: its weight {name!r} has no size before a first image; run model(images) once.")
    for module in model.modules():
        if isinstance(module, nn.DataParallel) and len(module.device_ids) > 1:
            raise ValueError(
                f"model: is DataParallel over devices {module.device_ids}, needs one; pass the network inside, .module."
            )


def check_numbers(model: nn.Module) -> None:
    """A model whose weights hold numbers, or a ValueError."""
    check_model(model)
    for name, weight in model.named_parameters():
        if weight.is_meta:
            raise ValueError(
                f"model: its weight {name!r} is on the meta device, which holds no numbers; use "
                f"model.to_empty(device='cpu') and load its weights."
            )


def check_images(model: nn.Module, images: object) -> None:
    """Finite floats `[N C H W]` of the model's dtype and device, or a ValueError that says which is not so."""
    check_numbers(model)
    if not isinstance(images, Tensor):
        raise ValueError(f"images: got {type(images).__name__}, needs a tensor [N C H W]; make one with torch.stack.")
    if images.ndim != 4 or not images.numel():
        raise ValueError(f"images: got shape {list(images.shape)}, needs [N C H W]; one image is images[None].")
    if not images.is_floating_point():
        raise ValueError(f"images: got {images.dtype}, needs floats; convert with images.float() and scale them.")
    weight = first_weight(model)
    if weight is not None and weight.dtype != images.dtype:
        raise ValueError(f"images: got {images.dtype}, but the model is {weight.dtype}; use images.to({weight.dtype}).")
    if weight is not None and weight.device != images.device:
        raise ValueError(
            f"images: are on {images.device}, the model on {weight.device}; use images.to({str(weight.device)!r})."
        )
    if not torch.isfinite(torch.stack(images.detach().aminmax())).all():  # ten times faster than to ask every pixel
        raise ValueError("images: got NaN or infinity, needs finite values; look at how the images are scaled.")


def check_targets(model: nn.Module, images: Tensor, targets: object) -> Tensor:
    """The class of each image, int64 `[N]`, where one number is that of all; or a ValueError, also for the images."""
    check_images(model, images)
    N = len(images)
    if not isinstance(targets, Tensor):
        try:
            return torch.full((N,), operator.index(targets), dtype=torch.int64, device="cpu")  # type: ignore[arg-type]
        except TypeError:
            got = type(targets).__name__
            raise ValueError(f"targets: got {got}, needs one class or an int64 tensor [N]; use torch.tensor.") from None
    if targets.dtype != torch.int64 or targets.shape != (N,):
        raise ValueError(f"targets: got {described(targets)}, needs torch.int64 [{N}]; give one class index an image.")
    return targets


def check_whole(name: str, value: object, advice: str, *, least: int = 1) -> None:
    """A whole number from `least`, or a ValueError that ends in the advice."""
    if not isinstance(value, int) or value < least:
        raise ValueError(f"{name}: got {value!r}, needs a whole number from {least}; {advice}.")


def check_choice(name: str, value: object, choices: Iterable[str]) -> None:
    """One of the choices, or a ValueError that lists them."""
    if value not in (choices := tuple(choices)):
        raise ValueError(f"{name}: got {value!r}, needs one of {', '.join(map(repr, choices))}; choose one of them.")


def described(value: object) -> str:
    """What an error says of a value: type and shape of a tensor, the kind of anything else."""
    return f"{value.dtype} {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def check_scores(scores: object, N: int) -> Tensor:
    """Scores `[N classes]`, or a ValueError."""
    if not isinstance(scores, Tensor) or scores.ndim != 2 or len(scores) != N:
        got = list(scores.shape) if isinstance(scores, Tensor) else type(scores).__name__
        raise ValueError(f"model: returns {got}, needs scores [N classes] for N = {N}; wrap it to return only these.")
    return scores


def check_output(output: object, layer: str) -> Tensor:
    """A float tensor, or a ValueError."""
    if not isinstance(output, Tensor) or not output.is_floating_point():
        got = output.dtype if isinstance(output, Tensor) else type(output).__name__
        raise ValueError(f"layer {layer!r}: gives {got}, needs to give one float tensor; choose a layer inside it.")
    return output


def check_grid(A: Tensor, layer: str) -> None:
    """Activation maps `[N K h w]`, or a ValueError."""
    if A.ndim != 4:
        raise ValueError(
            f"layer {layer!r}: gives {list(A.shape)}, needs maps [N K h w]; choose the last layer before pooling."
        )


def first_weight(model: nn.Module) -> Tensor | None:
    """The first floating-point parameter: it tells the model's dtype and device."""
    return next((parameter for parameter in model.parameters() if parameter.is_floating_point()), None)

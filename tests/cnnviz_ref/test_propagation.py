"""Methods that change the backward pass, on every way to write a network: a right map, or an error that says where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F

from cnnviz_ref import deeplift, guided_backprop, guided_grad_cam, lrp

Step = Callable[[Tensor], Tensor]
METHODS: dict[str, Callable[..., Tensor]] = {
    "guided": guided_backprop,
    "deconvnet": lambda *a: guided_backprop(*a, rule="deconvnet"),
    "guided_grad_cam": lambda *a: guided_grad_cam(*a, "first"),
    "rescale": deeplift,
    "revealcancel": lambda *a: deeplift(*a, rule="revealcancel"),
    "zero": lambda *a: lrp(*a, rule="zero"),
    "gamma": lambda *a: lrp(*a, rule="gamma"),
    "composite": lambda *a: lrp(*a, rule="composite"),
}
GUIDED = ("guided", "deconvnet", "guided_grad_cam")
DEEPLIFT = ("rescale", "revealcancel")
TARGETS = torch.tensor([1, 3])
every_method = pytest.mark.parametrize("method", METHODS)


class Net(nn.Module):
    """convolution, one step of any kind, convolution, ReLU, averages, linear layer; always the same weights."""

    def __init__(self, step: Step, width: int = 6, bias: bool = True) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 6, 3, padding=1, bias=bias), nn.Conv2d(width, 4, 3, bias=bias)
        self.head, self.step = nn.Linear(4, 5, bias=bias), step
        generator = torch.Generator().manual_seed(0)
        for weight in self.parameters():
            weight.data = torch.randn(weight.shape, generator=generator) / weight[0].numel() ** 0.5
        self.double()

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.step(self.first(x))).relu().mean((2, 3)))


def images() -> Tensor:
    return torch.randn(2, 3, 7, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def close(ours: Tensor, expected: Tensor, tolerance: float = 1e-10) -> bool:
    return bool((ours - expected).abs().max() <= tolerance * expected.abs().max())


def set_zero(z: Tensor) -> Tensor:
    z = z.clone()
    z[z < 0] = 0
    return z


def view_in_place(z: Tensor) -> Tensor:
    z.view(len(z), -1).relu_()
    return z


def base_in_place(z: Tensor) -> Tensor:
    rows = z.flatten(1)
    z.relu_()
    return rows.view_as(z)


def halves_in_place(z: Tensor) -> Tensor:
    first, last = z[:, :3], z[:, 3:]
    F.relu(first, inplace=True)
    last.clamp_(min=0)
    return z


def channels_in_place(z: Tensor) -> Tensor:
    for k in range(z.shape[1]):
        z[:, k : k + 1].relu_()
    return z


def filled(z: Tensor) -> Tensor:
    result = torch.zeros_like(z)
    result[:, :2] = z[:, :2].relu()
    for k in range(2, z.shape[1]):
        result[:, k].copy_(z[:, k].relu())
    return result


RELUS: dict[str, Step] = {
    "clamp": lambda z: z.clamp(min=0),
    "clamp_": lambda z: z.clamp_(min=0),
    "clamp_min": lambda z: torch.clamp_min(z, 0),
    "maximum": lambda z: torch.maximum(z, z.new_zeros(())),
    "max": lambda z: torch.max(z, torch.zeros_like(z)),
    "threshold": lambda z: F.threshold(z, 0, 0),
    "threshold_": lambda z: F.threshold_(z, 0, 0),
    "where": lambda z: torch.where(z > 0, z, 0.0),
    "where not": lambda z: torch.where(z <= 0, torch.zeros_like(z), z),
    "mask": lambda z: z * (z > 0),
    "mask first": lambda z: (z > 0) * z,
    "mask of floats": lambda z: z * (z > 0).to(z.dtype),
    "mask of a detached value": lambda z: z * (z.detach() > 0),
    "mask of data": lambda z: z * ~(z.data <= 0),
    "mask in place": lambda z: z.mul_(z > 0),
    "masked_fill": lambda z: z.masked_fill(z < 0, 0),
    "set": set_zero,
    "leaky without a slope": lambda z: F.leaky_relu(z, 0.0),
    "hardtanh": lambda z: F.hardtanh(z, 0, float("inf")),
    "operator of aten": lambda z: torch.ops.aten.relu(z),
    "view in place": view_in_place,
    "base in place": base_in_place,
    "halves in place": halves_in_place,
    "channels in place": channels_in_place,
    "filled": filled,
    "dropout after it": lambda z: F.dropout(z.relu_(), 0.5, False, True),
}


@every_method
@pytest.mark.parametrize("name", RELUS)
def test_every_spelling_of_a_relu_is_the_same_relu(name: str, method: str) -> None:
    if method == "revealcancel" and name in ("halves in place", "channels in place"):
        pytest.skip("what is left after the first is no longer a linear layer's output, so that it is rescaled")
    expected = METHODS[method](Net(F.relu), images(), TARGETS)
    assert close(METHODS[method](Net(RELUS[name]), images(), TARGETS), expected)
    assert expected.any()


RELU6S: dict[str, Step] = {
    "hardtanh": lambda z: F.hardtanh(z, 0, 6),
    "clamp": lambda z: z.clamp(0, 6),
    "minimum": lambda z: torch.where(z > 6, 6, torch.where(z > 0, z, 0.0)),
}


@pytest.mark.parametrize("method", ["guided", "rescale", "zero"])
@pytest.mark.parametrize("name", RELU6S)
def test_every_spelling_of_a_relu6_is_the_same_relu6(name: str, method: str) -> None:
    expected = METHODS[method](Net(nn.ReLU6()), 9 * images(), TARGETS)
    assert close(METHODS[method](Net(RELU6S[name]), 9 * images(), TARGETS), expected)
    assert not close(METHODS[method](Net(F.relu), 9 * images(), TARGETS), expected, 1e-3)


OTHERS: dict[str, Step] = {
    "silu": F.silu,
    "gelu": F.gelu,
    "elu": F.elu,
    "leaky_relu": F.leaky_relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "hardswish": F.hardswish,
    "softplus": F.softplus,
    "hardtanh": F.hardtanh,
    "abs": torch.abs,
    "pow": lambda z: z**2,
    "prelu": lambda z: F.prelu(z, z.new_full((6,), 0.25)),
    "threshold": lambda z: F.threshold(z, 0.5, 0),
    "clamp": lambda z: z.clamp(min=-0.5),
    "mul": lambda z: z * (z > 0.1),
    "where": lambda z: torch.where(z > 0, z, 0.1 * z),
    "div": lambda z: torch.div(z, 0.5, rounding_mode="floor"),
}


@pytest.mark.parametrize("method", GUIDED)
@pytest.mark.parametrize("name", OTHERS)
def test_no_guided_map_of_another_nonlinearity_than_relu(name: str, method: str) -> None:
    with pytest.raises(
        ValueError, match=rf"model: the network itself \(Net\) calls {name}, .* other than ReLU.*saliency"
    ):
        METHODS[method](Net(OTHERS[name]), images(), TARGETS)


def test_the_error_names_the_module() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.Identity(), nn.SiLU()), nn.Flatten(), nn.Linear(24, 5))
    with pytest.raises(ValueError, match=r"model: module '1\.1' \(SiLU\) calls silu, which is a nonlinearity other"):
        guided_backprop(model, torch.randn(2, 3, 3, 8).contiguous()[:, :, :3, :8], TARGETS)


@pytest.mark.parametrize("method", DEEPLIFT)
@pytest.mark.parametrize("name", OTHERS)
def test_deeplift_of_any_function_of_each_value_is_complete(name: str, method: str) -> None:
    model, x = Net(OTHERS[name]), images()
    C, difference = METHODS[method](model, x, TARGETS), (model(x) - model(0 * x))[range(2), TARGETS]
    assert close(C.sum((1, 2, 3)), difference.detach())


@pytest.mark.parametrize("name", OTHERS)
def test_rescale_is_one_backward_pass_with_the_slope_between_the_two_values(name: str) -> None:
    """Ancona et al. 2018: gradient x difference, where f's derivative is (f(z) - f(z')) / (z - z')."""

    class Slope(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, z: Tensor, z0: Tensor, f: Step) -> Tensor:
            ctx.slope = (f(z.clone()) - f(z0.clone())) / (z - z0)
            return f(z.clone())

        @staticmethod
        def backward(ctx: Any, g: Tensor) -> Any:  # type: ignore[override]
            return g * ctx.slope, None, None

    net, x = Net(OTHERS[name]), images()
    z0 = net.first(0 * x)
    u0 = net.second(OTHERS[name](z0.clone()))
    leaf = x.clone().requires_grad_()
    u = net.second(Slope.apply(net.first(leaf), z0, OTHERS[name]))
    y = net.head(Slope.apply(u, u0, F.relu).mean((2, 3)))[range(2), TARGETS]
    expected = x * torch.autograd.grad(y.sum(), leaf)[0]
    assert close(deeplift(net, x, TARGETS), expected)


def upsampled(z: Tensor) -> Tensor:
    return F.interpolate(z, scale_factor=2, mode="bilinear")


WEIGHTS = torch.randn(6, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
KERNEL = torch.randn(6, 6, 3, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
LINEAR: dict[str, Step] = {
    "normalised": lambda z: (z - 0.3) / 0.7,
    "chunk": lambda z: torch.cat(z.chunk(2, 1)[::-1], 1),
    "split": lambda z: torch.cat(z.split([2, 4], 1)[::-1], 1),
    "stack": lambda z: torch.stack([z, 2 * z], 1).sum(1),
    "sum": lambda z: z.sum(1, keepdim=True).expand_as(z),
    "sub": lambda z: z - 2 * z.flip(1),
    "rsub": lambda z: 1 - z,
    "alpha": lambda z: torch.add(z, z.roll(1, 1), alpha=-0.5),
    "neg": torch.neg,
    "roll": lambda z: z.roll(2, 3),
    "view_as": lambda z: z.permute(0, 1, 3, 2).contiguous().view_as(z),
    "repeat": lambda z: z[:, :2].repeat(1, 3, 1, 1),
    "expand": lambda z: z[:, :1].expand(-1, 6, -1, -1),
    "interpolate": upsampled,
    "bicubic": lambda z: F.interpolate(z, scale_factor=2, mode="bicubic"),
    "conv_transpose2d": lambda z: F.conv_transpose2d(z, KERNEL, stride=2),
    "conv1d": lambda z: F.conv1d(z.flatten(2), KERNEL[..., 0], padding=1).view_as(z),
    "conv3d": lambda z: F.conv3d(z[:, :, None], KERNEL[:, :, None])[:, :, 0],
    "einsum": lambda z: torch.einsum("nchw,kc->nkhw", z, WEIGHTS),
    "matmul": lambda z: (z.permute(0, 2, 3, 1) @ WEIGHTS).permute(0, 3, 1, 2),
    "pixel_shuffle": lambda z: F.pixel_unshuffle(F.pixel_shuffle(z.repeat(1, 2, 1, 1), 2), 2)[:, :6],
    "unfold": lambda z: F.unfold(z, 2).view(len(z), 24, 6, 7)[:, ::4],
    "lerp": lambda z: torch.lerp(z, z.flip(1), 0.25),
    "cumsum": lambda z: z.cumsum(1),
    "diff": lambda z: torch.diff(z, dim=1, prepend=z[:, :1]),
    "batch_norm": lambda z: F.batch_norm(z, WEIGHTS[0], WEIGHTS[1] ** 2, WEIGHTS[2], WEIGHTS[3]),
    "in place": lambda z: z.mul_(2).sub_(z.flip(1)),
    "setitem": lambda z: set_row(z),
}


def set_row(z: Tensor) -> Tensor:
    z[:, 1] = z[:, 0] - z[:, 2]
    return z


@every_method
@pytest.mark.parametrize("name", LINEAR)
def test_whatever_is_linear_in_the_activations_needs_no_entry_in_a_list(name: str, method: str) -> None:
    model, x = Net(LINEAR[name], bias=False), images()
    if method in ("gamma", "composite") and name in ("bicubic", "lerp", "cumsum", "diff"):
        with pytest.raises(
            ValueError, match=rf"model: the network itself \(Net\) calls {name.replace('bicubic', 'int')}"
        ):
            METHODS[method](model, x, TARGETS)
        return
    found = METHODS[method](model, x, TARGETS)
    y = model(x.requires_grad_())[range(2), TARGETS]
    if method in GUIDED:
        assert found.isfinite().all()
    elif method in DEEPLIFT:
        assert close(found.sum((1, 2, 3)), (y - model(0 * x)[range(2), TARGETS]).detach())
    elif method == "zero" and not model(0 * x).any():
        assert close(found, (x * torch.autograd.grad(y.sum(), x)[0]).detach())


def squeeze_and_excitation(z: Tensor) -> Tensor:
    return z * torch.sigmoid(z.mean((2, 3), keepdim=True) - 1)


PRODUCTS: dict[str, Step] = {
    "squeeze and excitation": squeeze_and_excitation,
    "gate first": lambda z: F.hardtanh(z.mean((2, 3), keepdim=True), 0, 2) * z,
    "attention over places": lambda z: z.sum(1, keepdim=True).sigmoid() * z,
    "gate of full size": lambda z: z * F.hardsigmoid(z.flip(1)),
    "neither is a gate": lambda z: z * z.flip(1),
    "matmul": lambda z: (z.flatten(2) @ z.flatten(2).mT).unsqueeze(-1).expand(-1, -1, -1, 5),
}


@pytest.mark.parametrize("method", DEEPLIFT)
@pytest.mark.parametrize("name", PRODUCTS)
def test_deeplift_of_a_product_is_complete(name: str, method: str) -> None:
    model, x = Net(PRODUCTS[name]), images()
    C, difference = METHODS[method](model, x, TARGETS), (model(x) - model(0 * x))[range(2), TARGETS]
    assert close(C.sum((1, 2, 3)), difference.detach())


def test_deeplift_gives_each_factor_the_mean_of_the_other() -> None:
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (x[:, 0] * x[:, 1]).flatten(1)

    image, baseline = torch.tensor([[[[3.0]], [[5.0]]]]), torch.tensor([[[[1.0]], [[2.0]]]])
    found = deeplift(Net(), image, torch.tensor([0]), baselines=baseline)
    assert found.flatten().tolist() == [(3 - 1) * (5 + 2) / 2, (5 - 2) * (3 + 1) / 2]


@pytest.mark.parametrize("name", PRODUCTS)
def test_lrp_gives_all_to_the_signal_or_half_to_each_factor(name: str) -> None:
    model, x = Net(PRODUCTS[name], bias=False), images()
    with torch.no_grad():
        z = model.first(x)
        gates = {
            "squeeze and excitation": torch.sigmoid(z.mean((2, 3), keepdim=True) - 1),
            "gate first": F.hardtanh(z.mean((2, 3), keepdim=True), 0, 2),
            "attention over places": z.sum(1, keepdim=True).sigmoid(),
            "gate of full size": F.hardsigmoid(z.flip(1)),
        }
    y = model(x)[range(2), TARGETS].detach()
    found = lrp(model, x, TARGETS, rule="zero")
    assert close(found.sum((1, 2, 3)), y, 1e-8)
    if name in gates:  # as if the gate were a constant
        fixed, leaf = Net(lambda z: z * gates[name], bias=False), x.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(fixed(leaf)[range(2), TARGETS].sum(), leaf)
        assert close(found, gradient * x)


class OwnReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor) -> Tensor:
        ctx.save_for_backward(z)
        return z.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:  # type: ignore[override]
        return g * (ctx.saved_tensors[0] > 0)


def quietly(make: Callable[[], Any]) -> Any:
    with pytest.warns((FutureWarning, DeprecationWarning, torch.jit.TracerWarning), match="") as _:
        return make()


@every_method
@pytest.mark.parametrize("name", ["autograd.Function", "scripted function", "scripted in place"])
def test_what_cannot_be_seen_is_an_error_that_names_it(name: str, method: str) -> None:
    steps: dict[str, Step] = {
        "autograd.Function": OwnReLU.apply,
        "scripted function": quietly(lambda: torch.jit.script(scripted)),
        "scripted in place": quietly(lambda: torch.jit.script(scripted_in_place)),
    }
    with pytest.raises(
        ValueError, match=r"model: .*(OwnReLUBackward|ReluBackward0|in place).* cannot see .*write it with"
    ):
        METHODS[method](Net(steps[name]), images(), TARGETS)


def scripted(z: Tensor) -> Tensor:
    return torch.relu(z)


def scripted_in_place(z: Tensor) -> Tensor:
    torch.relu_(z)
    return z


@every_method
@pytest.mark.parametrize("make", [torch.jit.script, lambda net: torch.jit.trace(net, torch.zeros(1, 6, 7, 8).double())])
def test_scripted_and_traced_modules_are_named(make: Callable[[nn.Module], Any], method: str) -> None:
    part = nn.Sequential(nn.Conv2d(6, 6, 1), nn.ReLU()).double()
    model = Net(lambda z: z)
    model.step = quietly(lambda: make(part))
    with pytest.raises(ValueError, match=r"model: module 'step' .* was made by torch.jit.*pass the network as it was"):
        METHODS[method](model, images(), TARGETS)


@every_method
def test_batch_norm_without_statistics_is_refused(method: str) -> None:
    model = Net(nn.BatchNorm2d(6, track_running_stats=False).double())
    with pytest.raises(ValueError, match=r"module 'step' \(BatchNorm2d\) calls batch_norm, which has no running stat"):
        METHODS[method](model, images(), TARGETS)


@pytest.mark.parametrize("method", [*DEEPLIFT, "zero"])
@pytest.mark.parametrize(
    ("step", "what"),
    [
        (lambda z: z.softmax(1), "softmax, which mixes its inputs"),
        (nn.GroupNorm(2, 6).double(), "group_norm, which divides by the activations' own spread"),
        (lambda z: z / z.norm(), "norm, which is neither linear, nor a maximum"),
        (lambda z: z.sort(1).values, "sort, which is neither linear, nor a maximum"),
    ],
)
def test_what_has_no_rule_is_named(step: Step, what: str, method: str) -> None:
    with pytest.raises(ValueError, match=rf"model: .* calls {what}.*has no rule for it. Use saliency"):
        METHODS[method](Net(step), images(), TARGETS)


@every_method
@pytest.mark.parametrize(
    "read",
    [lambda z: z.max().item(), lambda z: float(z.max()), lambda z: z.tolist()[0][0][0][0], lambda z: z.numpy().max()],
)
def test_numbers_read_from_activations_are_named(read: Callable[[Tensor], float], method: str) -> None:
    with pytest.raises(ValueError, match=r"model: .* reads activations as numbers by `\w+`, .* cannot see"):
        METHODS[method](Net(lambda z: z / read(z.detach())), images(), TARGETS)


@pytest.mark.parametrize("method", DEEPLIFT)
@pytest.mark.parametrize(
    ("step", "what"),
    [
        (lambda z: z * z.mean((2, 3), keepdim=True).detach(), "calls mul, where the contributions no longer sum"),
        (lambda z: z * (z.roll(1, 1) > 0), "calls mul, where the contributions no longer sum"),
        (lambda z: z - z.mean(0, keepdim=True), "no longer sum"),
        (lambda z: z.transpose(0, 1).sigmoid().transpose(0, 1), "sigmoid on .* keep the images apart there"),
    ],
)
def test_deeplift_that_is_not_complete_is_an_error(step: Step, what: str, method: str) -> None:
    with pytest.raises(ValueError, match=rf"model: .*{what}"):
        METHODS[method](Net(step), images(), TARGETS)


@pytest.mark.parametrize("method", [*DEEPLIFT, "zero", "guided"])
@pytest.mark.parametrize(
    "step",
    [
        lambda z: F.adaptive_max_pool2d(z, (3, 4)),
        lambda z: F.max_pool2d(z, 3, 1),
        lambda z: torch.maximum(z, z.flip(1)),
        lambda z: z.amax(1, keepdim=True).expand_as(z),
        lambda z: z.max(1, keepdim=True).values.expand_as(z),
        lambda z: torch.max(z, z.flip(1)),
        lambda z: F.max_pool2d(z, 3, 1, return_indices=True)[0],
        lambda z: F.adaptive_max_pool2d(z, (3, 4), return_indices=True)[0],
        lambda z: z.flatten(2).max(2)[0][:, :, None, None].expand_as(z),
    ],
)
def test_every_maximum_goes_to_the_winner(step: Step, method: str) -> None:
    model, x = Net(step, bias=False), images()
    found = METHODS[method](model, x, TARGETS)
    y = model(x.requires_grad_())[range(2), TARGETS]
    expected = torch.autograd.grad(y.sum(), x, retain_graph=True)[0] * x
    if method == "guided":
        assert close(found, slow_guided(model, x))
    elif method == "zero":
        assert close(found, expected.detach())
    else:
        assert close(found.sum((1, 2, 3)), y.detach())


def slow_guided(model: nn.Module, x: Tensor, targets: Tensor = TARGETS) -> Tensor:
    """The gradient, where each ReLU of autograd's own graph is told to let only positive signals through."""
    x = x.detach().clone().requires_grad_()
    y = model(x)[range(len(x)), targets].sum()
    seen, waiting = set(), [y.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name().startswith(("ReluBackward", "HardtanhBackward")):
            node.register_prehook(lambda grads: tuple(g.clamp(min=0) for g in grads))
        waiting.extend(parent for parent, _ in node.next_functions)
    return torch.autograd.grad(y, x)[0]


class Drawn(nn.Module):
    """A network of random steps, on two branches that meet now and then."""

    def __init__(self, seed: int, steps: dict[str, Step]) -> None:
        super().__init__()
        self.net = Net(self.between, bias=False)
        draw = torch.Generator().manual_seed(seed)
        names = [list(steps)[int(torch.randint(len(steps), (), generator=draw))] for _ in range(6)]
        self.names, self.steps = names, [steps[name] for name in names]

    def between(self, z: Tensor) -> Tensor:
        branches = [z, self.steps[0](z.clone())]
        for i, step in enumerate(self.steps[1:]):
            branches[i % 2] = step(branches[(i + 1) % 2].clone(memory_format=torch.contiguous_format))
            if i % 2:
                branches[0] = branches[0] + branches[1]
        return torch.cat(branches, 1)[:, 3:9]

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


SAME_SIZE = ["normalised", "chunk", "split", "sub", "alpha", "roll", "einsum", "matmul", "conv1d", "setitem"]
FOLDED = {name: LINEAR[name] for name in SAME_SIZE if name != "normalised"}


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_of_relus_and_linear_steps(seed: int) -> None:
    names = ("clamp_", "mask", "view in place", "set", "where", "dropout after it")
    model, x = Drawn(seed, {**{name: RELUS[name] for name in names}, "relu": F.relu, **FOLDED}), images()
    plain, leaf = Drawn(seed, {**dict.fromkeys(names, F.relu), "relu": F.relu, **FOLDED}), x.clone().requires_grad_()
    assert close(guided_backprop(model, x, TARGETS), slow_guided(plain, x))
    y = plain(leaf)[range(2), TARGETS]
    expected = (x * torch.autograd.grad(y.sum(), leaf)[0]).detach()
    for found in (lrp(model, x, TARGETS, rule="zero"), deeplift(model, x, TARGETS)):
        assert close(found, expected, 1e-7), model.names
    assert close(lrp(model, x, TARGETS, rule="gamma").sum((1, 2, 3)), y.detach(), 1e-6), model.names


@pytest.mark.parametrize("seed", range(12))
def test_random_networks_of_anything_are_complete(seed: int) -> None:
    steps = {
        **OTHERS,
        **PRODUCTS,
        **{name: LINEAR[name] for name in SAME_SIZE},
        "silu by hand": lambda z: z * z.sigmoid(),
    }
    del steps["matmul"], steps["pow"]
    model = Drawn(seed, steps)
    x, x0 = images(), images().flip(0)
    difference = (model(x) - model(x0))[range(2), TARGETS].detach()
    for rule in DEEPLIFT:
        C = deeplift(model, x, TARGETS, baselines=x0, rule=rule)
        assert close(C.sum((1, 2, 3)), difference, 1e-8), model.names


@pytest.mark.parametrize("name", ["mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5", "mnasnet0_5"])
def test_networks_that_hung_or_were_refused(name: str) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = torchvision.models.get_model(name, weights=None, num_classes=5).double()
        for module in model.modules():  # running statistics become those of the images that follow
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = None
        model.train()(torch.randn(8, 3, 32, 32).double())
    model.eval()
    x = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = (model(x) - model(0 * x))[0, 3].detach()
    for rule in DEEPLIFT:
        assert close(deeplift(model, x, TARGETS[1:], rule=rule).sum(), y, 1e-8)
    assert lrp(model, x, TARGETS[1:], rule="composite").isfinite().all()
    if "v3" in name or "eff" in name:
        with pytest.raises(ValueError, match=r"'features\.0\.2' .* nonlinearity other than ReLU"):
            guided_backprop(model, x, TARGETS[1:])
    else:
        assert close(guided_backprop(model, x, TARGETS[1:]), slow_guided(model, x, TARGETS[1:]))

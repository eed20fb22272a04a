"""Wrong answers of lesson 3, t-SNE, on the loop: descend(P, start, *, steps, lr, momentum) -> path."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.exercises.tsne_gradient_misconceptions import gradient
from autograder.records import Misconception


def moved(
    P: Tensor,
    start: Tensor,
    steps: int,
    step: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
    *,
    slope: Callable[[Tensor, Tensor], Tensor] = gradient,
) -> Tensor:
    """The path [T+1 N 2], where `step(Y, V, gradient)` gives the next Y and V."""
    path, V = [start], torch.zeros_like(start)
    for _ in range(steps):
        Y, V = step(path[-1], V, slope(P, path[-1]))
        path.append(Y)
    return torch.stack(path)


def rolled(P: Tensor, start: Tensor, steps: int, lr: float, momentum: float) -> Tensor:
    """The path as the formula has it."""

    def step(Y, V, g):
        V = momentum * V - lr * g
        return Y + V, V

    return moved(P, start, steps, step)


def _uphill(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps, -lr, momentum)


def _no_momentum(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps, lr, 0.0)


def _momentum_turned(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps, lr, -momentum)


def _averaged(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps, (1 - momentum) * lr, momentum)


def _old_velocity(P, start, *, steps, lr, momentum):
    return moved(P, start, steps, lambda Y, V, g: (Y + V, momentum * V - lr * g))


def _nesterov(P, start, *, steps, lr, momentum):
    path, V = [start], torch.zeros_like(start)
    for _ in range(steps):
        V = momentum * V - lr * gradient(P, path[-1] + momentum * V)
        path.append(path[-1] + V)
    return torch.stack(path)


def _same_gradient(P, start, *, steps, lr, momentum):
    def step(Y, V, g):
        V = momentum * V - lr * g
        return Y + V, V

    return moved(P, start, steps, step, slope=lambda P, Y: gradient(P, start))


def _step_ignored(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps, 1.0, momentum)


def _unit_gradient(P, start, *, steps, lr, momentum):
    def step(Y, V, g):
        V = momentum * V - lr * g / g.norm()
        return Y + V, V

    return moved(P, start, steps, step)


def _velocity_replaces(P, start, *, steps, lr, momentum):
    def step(Y, V, g):
        V = momentum * V - lr * g
        return start + V, V

    return moved(P, start, steps, step)


def _decayed(P, start, *, steps, lr, momentum):
    return moved(P, start, steps, lambda Y, V, g: (momentum * Y - lr * g, V))


def _one_at_a_time(P, start, *, steps, lr, momentum):
    path, V = [start], torch.zeros_like(start)
    for _ in range(steps):
        Y, V = path[-1].clone(), V.clone()
        for i in range(len(Y)):
            V[i] = momentum * V[i] - lr * gradient(P, Y)[i]
            Y[i] = Y[i] + V[i]
        path.append(Y)
    return torch.stack(path)


def _adam(P, start, *, steps, lr, momentum):
    Y = start.clone().requires_grad_()
    path, adam = [start], torch.optim.Adam([Y], lr=lr)
    for _ in range(steps):
        Y.grad = gradient(P, Y.detach())
        adam.step()
        path.append(Y.detach().clone())
    return torch.stack(path)


def _stops_when_flat(P, start, *, steps, lr, momentum):
    return moved(
        P,
        start,
        steps,
        lambda Y, V, g: (Y, V) if g.norm() < 0.025 else (Y + momentum * V - lr * g, momentum * V - lr * g),
    )


def _start_missing(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps, lr, momentum)[1:]


def _one_step_late(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps + 1, lr, momentum)[1:]


def _end_only(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps, lr, momentum)[-1]


def _same_tensor(P, start, *, steps, lr, momentum):
    return rolled(P, start, steps, lr, momentum)[-1:].repeat(steps + 1, 1, 1)


LOOP = (
    Misconception(
        "uphill",
        _uphill,
        "You went uphill: C rises. The step is against the gradient, V ← μV - η ∂C/∂Y.",
    ),
    Misconception(
        "no_momentum",
        _no_momentum,
        "You left out the momentum: every step is -η ∂C/∂Y alone. V keeps the share μ of the last step: "
        "V ← μV - η ∂C/∂Y.",
    ),
    Misconception(
        "momentum_turned",
        _momentum_turned,
        "Your momentum points backwards: the share μ of the last step is subtracted. V ← μV - η ∂C/∂Y, with + μV.",
    ),
    Misconception(
        "averaged_velocity",
        _averaged,
        "You weighted the new gradient with 1 - μ. Here V is a sum, not an average: V ← μV - η ∂C/∂Y.",
    ),
    Misconception(
        "old_velocity",
        _old_velocity,
        "You moved Y before you renewed V, so that the first step goes nowhere. First V ← μV - η ∂C/∂Y, then "
        "Y ← Y + V.",
    ),
    Misconception(
        "looks_ahead",
        _nesterov,
        "You took the gradient at Y + μV: that is Nesterov's momentum. The formula takes it at Y.",
    ),
    Misconception(
        "same_gradient",
        _same_gradient,
        "You computed the gradient once, at the start. Compute ∂C/∂Y anew at each Y_t, inside the loop.",
    ),
    Misconception(
        "step_size_ignored",
        _step_ignored,
        "You did not use η: the gradient goes into V as it is. V ← μV - η ∂C/∂Y.",
    ),
    Misconception(
        "unit_gradient",
        _unit_gradient,
        "You scaled the gradient to length 1. Where C is flat the steps must become small: use ∂C/∂Y as it is.",
    ),
    Misconception(
        "from_the_start",
        _velocity_replaces,
        "You added V to the start every time. Each step goes on from the last one: Y_t+1 = Y_t + V.",
    ),
    Misconception(
        "momentum_on_y",
        _decayed,
        "You multiplied Y by μ, so that all points shrink towards 0. μ belongs to V, the last step: V ← μV - η ∂C/∂Y, "
        "then Y ← Y + V.",
    ),
    Misconception(
        "one_at_a_time",
        _one_at_a_time,
        "You moved one point after the other, and later points already saw the moved ones. One gradient [N 2] moves "
        "all points at once.",
    ),
    Misconception(
        "adam",
        _adam,
        "You used Adam, which gives every coordinate a step size of its own. The formula is plain descent with "
        "momentum: V ← μV - η ∂C/∂Y, Y ← Y + V.",
    ),
    Misconception(
        "stops_when_flat",
        _stops_when_flat,
        "You stopped where the gradient is small. All T steps are made: also small ones lead on, and V still moves "
        "the points.",
    ),
    Misconception(
        "start_missing",
        _start_missing,
        "The start is missing: your path has the T points after each step. It begins with Y_0 = start and has T + 1.",
    ),
    Misconception(
        "one_step_late",
        _one_step_late,
        "Your path is one step late: it begins with Y_1. It begins with Y_0 = start and ends after T steps.",
    ),
    Misconception(
        "end_only",
        _end_only,
        "You returned only the points after the last step. The path holds all of them, Y_0 to Y_T: [T+1 N 2].",
    ),
    Misconception(
        "same_tensor",
        _same_tensor,
        "All T + 1 entries of your path are the last one. `Y += V` changes the very tensor that you already stored: "
        "write Y = Y + V, which makes a new one.",
    ),
)

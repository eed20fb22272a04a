"""Whether this machine can look from outside: a child of our own leaves known effects, and each must be seen."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

import torch
from torch import nn

from . import confine
from .offsets import Offsets, measured
from .outside import Sight, shown

STEPS: tuple[tuple[str, set[str]], ...] = (
    ("nothing", set()),
    ("notes_are_made", set()),
    ("hooks_come_and_go", set()),
    ("all_is_put_back", set()),
    ("equal_things_take_the_place", set()),
    ("another_mode", {"training_flag"}),
    ("a_hook_stays", {"hooks"}),
    ("a_gradient_stays", {"grad"}),
    ("a_gradient_changes", {"grad"}),
    ("one_bit_changes", {"parameters"}),
    ("a_weight_is_frozen", {"requires_grad"}),
    ("a_setting_changes", {"parameters"}),
    ("forward_is_covered", {"hooks"}),
    ("statistics_change", {"buffers"}),
    ("a_scattered_input_changes", {"inputs"}),
    ("a_list_grows", {"inputs"}),
    ("an_input_asks", {"requires_grad"}),
    ("an_input_is_hooked", {"hooks"}),
    ("a_hook_for_all_stays", {"hooks"}),
    ("the_class_changes", {"hooks"}),
    ("a_weight_is_replaced", {"parameters", "grad"}),
)
"""Methods of `_Scene` in the order in which they are called, and what is seen after each."""


def rehearsed() -> Offsets | None:
    """What a look needs to know; None where it would not see everything, or see what is not there."""
    try:
        offsets = measured()
        return offsets if _performed(offsets) else None
    except Exception:  # another Python, another torch, another kernel: whatever is not as expected
        return None


class _Scene:
    """A module and inputs, and what can be done to them."""

    def __init__(self) -> None:
        self.norm: Any = nn.BatchNorm1d(2)
        self.drop: Any = nn.Dropout(0.25)
        self.module = nn.Sequential(self.norm, self.drop)
        self.image, self.scattered = torch.zeros(2), torch.zeros(3, 2).T
        self.extra: dict[str, Any] = {"scale": 2.5, "names": ["one"], "none": ([], (), {}, "", None)}
        self.inputs = ((self.module, self.image, self.scattered), self.extra, None)

    def nothing(self) -> None: ...

    def notes_are_made(self) -> None:
        for number in range(200):
            setattr(self.drop, f"note_{number}", number)

    def hooks_come_and_go(self) -> None:
        for _ in range(40):
            self.norm.register_forward_hook(print).remove()

    def all_is_put_back(self) -> None:
        self.module.eval().train()
        self.image.requires_grad_().requires_grad_(False)
        self.drop.p = 2 * self.drop.p
        self.drop.p = self.drop.p / 2

    def equal_things_take_the_place(self) -> None:
        bias = self.norm._parameters.pop("bias")
        self.norm.register_parameter("bias", bias)
        self.norm._forward_hooks = type(self.norm._forward_hooks)()
        self.norm.weight.data = self.norm.weight.data.clone()

    def another_mode(self) -> None:
        self.module.eval()

    def a_hook_stays(self) -> None:
        self.norm.register_forward_hook(print)

    def a_gradient_stays(self) -> None:
        self.norm.weight.grad = torch.ones(2)

    def a_gradient_changes(self) -> None:
        self.norm.weight.grad.zero_()

    def one_bit_changes(self) -> None:
        self.norm.weight.data.view(torch.int32)[0] ^= 1

    def a_weight_is_frozen(self) -> None:
        self.norm.bias.requires_grad_(False)

    def a_setting_changes(self) -> None:
        self.drop.p = 0.5

    def forward_is_covered(self) -> None:
        self.drop.forward = print

    def statistics_change(self) -> None:
        self.norm.running_mean.add_(1)

    def a_scattered_input_changes(self) -> None:
        self.scattered[1, 2] = 1

    def a_list_grows(self) -> None:
        self.extra["names"].append("two")

    def an_input_asks(self) -> None:
        self.image.requires_grad_()

    def an_input_is_hooked(self) -> None:
        self.image.register_hook(print)

    def a_hook_for_all_stays(self) -> None:
        nn.modules.module.register_module_forward_hook(print)

    def the_class_changes(self) -> None:
        self.drop.__class__ = nn.Dropout1d

    def a_weight_is_replaced(self) -> None:
        self.norm.weight = nn.Parameter(torch.zeros(2))


def _performed(offsets: Offsets) -> bool:
    """In a child that is looked at after each step."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    scene, parent = _Scene(), os.getpid()
    child = os.fork()
    if not child:
        _perform(scene, there, parent)
    there.close()
    sight = Sight(child, offsets)
    try:
        return sight.begin(here) and all(_seen(sight, here, child) == [expected] for _, expected in STEPS)
    finally:
        sight.close()
        here.close()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def _seen(sight: Sight, channel: socket.socket, child: int) -> list[set[str]] | None:
    """After the next step, when the child has said that it is done."""
    if not channel.recv(1):
        return None
    found = sight.changes()
    os.kill(child, signal.SIGCONT)
    channel.send(b"n")
    return found


def _perform(scene: _Scene, channel: socket.socket, parent: int) -> None:
    try:
        confine.die_with(parent)
        confine.close_memory(False)
        if shown(channel, [scene.inputs]):
            for name, _ in STEPS:
                getattr(scene, name)()
                channel.send(b"d")
                channel.recv(1)
    finally:
        os._exit(0)

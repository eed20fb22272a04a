"""What is drawn for inputs of several lessons. Only values are left to chance: what could hide a mistake is not."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def mixed_order(generator: Generator, classes: int, count: int) -> Tensor:
    """All classes in a random order; the first `count` neither rise nor fall, and none of them stands at its own place.

    Targets that are sorted, or that count the images, would pass for others.
    """
    for _ in range(1000):
        order = torch.randperm(classes, generator=generator)
        chosen = order[:count].tolist()
        rising = count > 1 and chosen == sorted(chosen)
        falling = count > 2 and chosen == sorted(chosen, reverse=True)
        if not rising and not falling and all(n != place for place, n in enumerate(chosen)):
            return order
    raise RuntimeError(f"no mixed order of {count} among {classes} classes found")

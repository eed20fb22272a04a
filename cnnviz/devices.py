"""Where to compute."""

from __future__ import annotations

import os

import torch


def device(name: str | None = None) -> torch.device:
    """The best device here: cuda, else mps, else cpu; `name`, else the environment variable CNNVIZ_DEVICE, overrides.

    Raises:
        ValueError: `name` or CNNVIZ_DEVICE is no device that this machine has.

    >>> device().type in ("cuda", "mps", "cpu")
    True
    """
    source, wanted = ("device", name) if name else ("CNNVIZ_DEVICE", os.environ.get("CNNVIZ_DEVICE", "").strip())
    available = _available()
    if not wanted:
        return torch.device(available[0])
    # "cuda" stands for the first of its kind, so it is allowed where "cuda:0" is.
    if wanted not in available and wanted.removesuffix(":0") not in available:
        raise ValueError(
            f"{source}: got {wanted!r}; allowed on this machine are {', '.join(available)}; choose one of them."
        )
    return torch.device(wanted)


def _available() -> list[str]:
    """Device names, the best one first."""
    cuda = ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))] if torch.cuda.is_available() else []
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]

"""The second function computes its answer only from what the first one left: honest isolation gives it nothing."""

import builtins
import gc
import glob
import os
import sys
import tempfile

MARK = "cnnviz-red-mark"


def files():
    places = ["/tmp", "/var/tmp", "/dev/shm", os.path.expanduser("~"), ".", "..", "../..", tempfile.gettempdir()]
    for name in ("torch", "numpy", "cnnviz"):
        places.append(os.path.dirname(getattr(sys.modules.get(name), "__file__", None) or "/nowhere/x"))
    return [os.path.join(place, MARK) for place in dict.fromkeys(places)]


def leave():
    import torch

    for path in files():
        try:
            open(path, "x").close()
        except OSError:
            continue
    os.environ[MARK] = "1"
    for place in (builtins, sys, gc, torch, torch.nn.Module, os, tempfile):
        place.cnnviz_red_mark = True
    sys.modules[MARK] = sys
    gc.callbacks.append(len)


def found():
    import torch

    places = (builtins, sys, gc, torch, torch.nn.Module, os, tempfile)
    inside = any(hasattr(place, "cnnviz_red_mark") for place in places) or MARK in os.environ or MARK in sys.modules
    return inside or any(map(os.path.exists, files())) or bool(glob.glob(f"/tmp/*/{MARK}"))


def neuron_importance(gradients):
    leave()
    return gradients.mean()


def quadrant_shares(maps, quadrants):
    import torch

    if not found():
        raise LookupError("the first exercise left nothing")
    whole = maps.sum(dim=(1, 2))
    boxes = [maps[:, t:b, l:r].sum(dim=(1, 2)) for t, l, b, r in quadrants.tolist()]
    return torch.stack(boxes, dim=1) / torch.where(whole > 0, whole, torch.ones_like(whole))[:, None]

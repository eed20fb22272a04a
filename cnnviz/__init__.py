"""The kit: networks, photos, digits and figures that every lesson may import. No visualization method lives here.

Names are loaded on first use, so that `import cnnviz` costs nothing to a process that needs one of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnviz import shapes, small_nets
    from cnnviz.devices import device
    from cnnviz.digits import Digits, cluttered_digits
    from cnnviz.figures import overlay, show_grid, show_map
    from cnnviz.models import LAST_LAYER, digit_net, efficientnet_lite0, load_model, pretrained
    from cnnviz.pictures import (
        PHOTO_CLASS,
        Mosaic,
        class_index,
        class_names,
        deprocess,
        mosaic,
        photo,
        photos,
        preprocess,
        top_classes,
    )
    from cnnviz.sliders import play

__all__ = [
    "LAST_LAYER",
    "PHOTO_CLASS",
    "Digits",
    "Mosaic",
    "class_index",
    "class_names",
    "cluttered_digits",
    "deprocess",
    "device",
    "digit_net",
    "efficientnet_lite0",
    "load_model",
    "mosaic",
    "overlay",
    "photo",
    "photos",
    "play",
    "preprocess",
    "pretrained",
    "shapes",
    "show_grid",
    "show_map",
    "small_nets",
    "top_classes",
]

_HOME = {
    **dict.fromkeys(("LAST_LAYER", "digit_net", "efficientnet_lite0", "load_model", "pretrained"), "models"),
    **dict.fromkeys(("PHOTO_CLASS", "Mosaic", "class_index", "class_names", "deprocess"), "pictures"),
    **dict.fromkeys(("mosaic", "photo", "photos", "preprocess", "top_classes"), "pictures"),
    **dict.fromkeys(("Digits", "cluttered_digits"), "digits"),
    **dict.fromkeys(("overlay", "show_grid", "show_map"), "figures"),
    "device": "devices",
    "play": "sliders",
}


def __getattr__(name: str) -> Any:
    if name in ("shapes", "small_nets"):
        return import_module(f"cnnviz.{name}")
    if name == "__version__":
        return import_module("importlib.metadata").version("cnnviz")
    if name not in _HOME:
        raise AttributeError(f"cnnviz has no {name!r}; it has {', '.join(__all__)}.")
    value = getattr(import_module(f"cnnviz.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

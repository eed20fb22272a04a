"""Figures as small files: WebP, a quarter of the PNG."""

from __future__ import annotations

import base64
import io

from PIL import Image

WIDEST = 1600
"""Pixels; a lesson's column is half as wide, a sharp screen shows all of them."""


def webp(png: bytes, *, widest: int = WIDEST, quality: int = 82) -> bytes:
    """The picture, made smaller where it is wider than a page can show."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > widest:
        picture = picture.resize((widest, round(picture.height * widest / picture.width)), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality, method=4)
    return buffer.getvalue()


def decoded(data: str | list[str]) -> bytes:
    """A picture as a notebook holds it."""
    return base64.b64decode(data if isinstance(data, str) else "".join(data))

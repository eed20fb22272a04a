"""Grades as a platform's file writes numbers."""

from __future__ import annotations

import math


def number(text: str) -> float | None:
    """What a cell says, with a point or a comma before the decimals; None where it is no number."""
    plain = "".join(text.split())
    mark = max(",.", key=plain.rfind)  # the last of them stands before the decimals
    plain = plain.replace("," if mark == "." else ".", "").replace(mark, ".")
    try:
        value = float(plain)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def written(value: float, like: str = "") -> str:
    """At most two decimals, none that is not needed; a decimal comma where `like` has one."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if "," in like and "." not in like else text


def scaled(points: float, possible: float, maximum: float | None, scale: bool, *, column: str) -> float:
    """Points as the column counts them.

    Raises:
        ValueError: it counts otherwise, and nobody said that points are to be converted.
    """
    if maximum is None or maximum == possible:
        return points
    if not scale:
        raise ValueError(
            f'points: the column "{column}" has {written(maximum)} points and the lessons have {written(possible)}; '
            f"give the assignment {written(possible)} points, or add --scale to have them converted."
        )
    return points * maximum / possible if possible else 0.0

"""MathJax stands beside the pages, so that formulas need no network."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PACKAGE = "sphinx-mathjax-offline"
FILES = ("tex-chtml.js", "output/chtml/fonts/woff-v2/*.woff", "a11y/assistive-mml.js", "LICENSE")


def copy_mathjax(app: Any, error: Exception | None) -> None:
    """Copies the files that a page loads.

    Raises:
        ValueError: the package that brings them is not installed.
    """
    if error is None:
        source, target = folder(), Path(app.outdir) / "_static" / "mathjax"
        for pattern in FILES:
            for path in source.glob(pattern):
                (target / path.relative_to(source)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target / path.relative_to(source))


def folder() -> Path:
    """Where the package keeps MathJax.

    Raises:
        ValueError: it is not installed.
    """
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ValueError(f'MathJax: got no package "{PACKAGE}"; it comes with `python -m pip install -e ".[site]"`.')
    return Path(found.origin).parent / "static" / "mathjax"

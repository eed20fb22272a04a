"""nbformat, without the grammar of URIs that jsonschema would build first.

That takes a second or two of every start where the package `rfc3987_syntax` is installed (JupyterLab brings it), and no
schema of a notebook has a URI.
"""

from __future__ import annotations

import sys

_GRAMMAR = "rfc3987_syntax"

if _GRAMMAR not in sys.modules:
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    try:
        import nbformat
        import nbformat.v4
    finally:
        del sys.modules[_GRAMMAR]
else:
    import nbformat
    import nbformat.v4

__all__ = ["nbformat"]

"""A notebook whose text cells, outputs and attachments hold scripts, links and pictures from outside."""

import json
from pathlib import Path

TEXT = """<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>
<iframe src='http://red.example'></iframe> ![t](http://red.example/t.png) $$\\href{javascript:alert(1)}{x}$$
```
``````
</div><svg onload=alert(1)>
"""
CODE = "def neuron_importance(gradients):\n    return gradients.mean(dim=(2, 3))\n"
OUTPUT = {
    "output_type": "display_data",
    "metadata": {},
    "data": {"text/html": TEXT, "application/javascript": "alert(1)"},
}


def make(folder: Path) -> None:
    """One honest function between them."""
    text = {"cell_type": "markdown", "metadata": {}, "source": TEXT, "attachments": {"x": {"image/svg+xml": TEXT}}}
    raw = {"cell_type": "raw", "metadata": {"format": "text/html"}, "source": TEXT}
    code = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": [OUTPUT], "source": CODE}
    kernel = {"kernelspec": {"name": TEXT, "display_name": TEXT, "language": TEXT}, "title": TEXT}
    notebook = {"cells": [text, raw, code, text], "metadata": kernel, "nbformat": 4, "nbformat_minor": 4}
    (folder / "grad_cam.ipynb").write_text(json.dumps(notebook), encoding="utf-8")

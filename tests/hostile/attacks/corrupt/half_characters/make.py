"""A right notebook with half a surrogate pair in comments, texts, ids and outputs."""

import json
from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """JSON can spell half a character, which no file and no signature can hold."""
    notebook = right["notebook"]()
    for cell in notebook["cells"]:
        cell["source"] = ["# \ud83d half a smile \udc00\ud800\n", *cell["source"]]
        cell["metadata"]["name\udfff"] = "\ud800"
    notebook["cells"][0]["id"] = "\ud800"
    notebook["cells"].append(
        right["code"]("last = '\udbff'\nprint(last)\n", "own\udfff", nbgrader={"grade_id": "\udfff"})
    )
    (folder / "grad_cam.ipynb").write_text(json.dumps(notebook, ensure_ascii=True), encoding="utf-8")

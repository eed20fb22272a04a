"""A right notebook of lesson 11 in the shape of the release, for the make.py files beside it to damage."""

from __future__ import annotations

import ast
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

POINTS = {"capture": 7, "neuron_importance": 5, "grad_cam_map": 4, "grad_cam": 8, "quadrant_shares": 4}
ANSWERS = ("whose_alpha", "whose_map", "sum_or_mean", "bias_raised", "absent_class")
NAME = "grad_cam.ipynb"


def module() -> str:
    """A right module, as the package ships it."""
    return files("autograder").joinpath("demo/right/11_grad_cam/grad_cam.py").read_text(encoding="utf-8")


def notebook() -> dict[str, Any]:
    """The same code, cell by cell, with the check cells of the release."""
    source = module()
    parts = {node: ast.get_source_segment(source, node) or "" for node in ast.parse(source).body}
    loose = [text for node, text in parts.items() if not _item(node)]
    cells = [markdown("# Grad-CAM", "cell-0"), code("\n\n".join(loose), "cell-1")]
    for node, text in parts.items():
        if name := _item(node):
            cells += [markdown(f"### {name}", f"about_{name}"), _solution(name, text), _check(name)]
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}


def save(folder: Path, content: dict[str, Any], name: str = NAME) -> None:
    """Writes it as Jupyter would."""
    (folder / name).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def checks(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The check cells."""
    return [cell for cell in content["cells"] if str(cell.get("id")).startswith("check_")]


def code(text: str, cell_id: str, **metadata: Any) -> dict[str, Any]:
    """One code cell."""
    lines = text.splitlines(keepends=True)
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": metadata,
        "outputs": [],
        "source": lines,
    }


def markdown(text: str, cell_id: str) -> dict[str, Any]:
    """One cell of text."""
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": text.splitlines(keepends=True)}


def _item(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef):
        return node.name
    target = node.targets[0] if isinstance(node, ast.Assign) else None
    return target.id if isinstance(target, ast.Name) and target.id in ANSWERS else ""


def _solution(name: str, text: str) -> dict[str, Any]:
    about = {"grade": False, "grade_id": name, "locked": False, "schema_version": 3, "solution": True, "task": False}
    kind = "question" if name in ANSWERS else "exercise"
    return code(text, name, cnnviz={"id": f"grad_cam.{name}", "kind": kind}, nbgrader=about, deletable=False)


def _check(name: str) -> dict[str, Any]:
    about = {"grade": True, "grade_id": f"check_{name}", "locked": True, "schema_version": 3, "solution": False}
    about |= {"points": POINTS.get(name, 1), "task": False}
    call = f'from autograder import check\n\ncheck("grad_cam.{name}", {name})'
    return code(call, f"check_{name}", nbgrader=about, deletable=False, editable=False)

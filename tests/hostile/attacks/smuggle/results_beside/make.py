"""All that a grader writes, already there."""

import json
from pathlib import Path

ITEMS = ("capture", "neuron_importance", "grad_cam_map", "grad_cam", "quadrant_shares", "sum_or_mean", "bias_raised",
         "absent_class")  # fmt: skip
PAGE = "<html><script>alert('cnnviz-red')</script></html>"


def make(folder: Path) -> None:
    """In every place that might be read."""
    (folder / "grad_cam.py").write_text("import torch\n", encoding="utf-8")
    for place in (folder, folder.parent):
        for name in ("results", "autograded", "feedback", "RESULTS", ".regrade", "history"):
            inner = place / name / folder.parent.name / folder.name
            inner.mkdir(parents=True, exist_ok=True)
            (inner / "grad_cam.html").write_text(PAGE, encoding="utf-8")
            for item in ITEMS:
                row = {
                    "exercise": f"grad_cam.{item}",
                    "check": "answer",
                    "verdict": "passed",
                    "points": 9,
                    "max_points": 9,
                }
                result = {"item": f"grad_cam.{item}", "verdict": "passed", "rows": [row]}
                (inner / f"grad_cam.{item}.json").write_text(json.dumps({"result": result, "signature": ""}))
        (place / "results.json").write_text(json.dumps({"score": 31, "tests": [{"score": 31, "max_score": 31}]}))
        (place / "manifest.json").write_text("{}")
        (place / "course.json").write_text("{}")
        (place / "results.csv").write_text("student,points\n=1+1,31\n")
        (place / "gradebook.db").write_bytes(b"SQLite format 3\0")
        (place / ".cnnviz_secret").write_text("a secret that the student knows, of enough letters to be one\n")
        (place / "grad_cam.html").write_text(PAGE, encoding="utf-8")

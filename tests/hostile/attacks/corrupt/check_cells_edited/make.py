"""Check cells that were rewritten to count points of their own, around stubs."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


FORGED = """
import builtins, importlib, json, sys

def always(*arguments, **options):
    return True

for name, attributes in {
    "numpy": ("allclose", "array_equal", "isclose"),
    "torch": ("allclose", "equal", "isclose"),
}.items():
    module = importlib.import_module(name)
    for attribute in attributes:
        setattr(module, attribute, always)
for name, module in list(sys.modules.items()):
    for attribute in ("allclose", "array_equal", "compare", "judge"):
        if name.split(".")[0] in ("autograder", "cnnviz_ref", "__main__", "weak") and hasattr(module, attribute):
            setattr(module, attribute, always)
print(json.dumps({"verdict": "passed", "points": 100, "score": 100}))
100
"""


def make(folder: Path) -> None:
    """Functions that return nothing useful; checks that say all is well, worth 1000 points each."""
    notebook = right["notebook"]()
    for cell in notebook["cells"]:
        if cell.get("id") in right["POINTS"]:
            cell["source"] = [f"def {cell['id']}(*arguments, **options):\n", "    return arguments[0]\n"]
        if cell.get("id") in right["ANSWERS"]:
            cell["source"] = [f'{cell["id"]} = "all of them"']
    for cell in right["checks"](notebook):
        cell["source"] = FORGED.splitlines(keepends=True)
        cell["metadata"]["nbgrader"] |= {"points": 1000, "locked": False}
    right["save"](folder, notebook)

"""A right notebook with shell lines, magics and a cell magic between the solutions."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


OWN = (
    "!echo from the shell",
    "%matplotlib inline\n%load_ext autoreload",
    "%%time\nx = 1",
    "%%bash\necho $HOME\nif true; then",
    "?torch",
    "x = !ls",
)


def make(folder: Path) -> None:
    """What Jupyter runs and Python cannot parse."""
    notebook = right["notebook"]()
    own = [right["code"](text, f"own-{n}") for n, text in enumerate(OWN)]
    notebook["cells"][2:2] = own
    for cell in notebook["cells"]:
        if cell.get("id") in right["POINTS"]:
            cell["source"] = ["%config InlineBackend.figure_format = 'retina'\n", *cell["source"]]
    right["save"](folder, notebook)

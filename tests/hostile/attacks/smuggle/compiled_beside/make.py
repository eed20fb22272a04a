"""Code that nobody reads, in the places where Python looks for it first."""

import importlib.util
import marshal
from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[2] / "corrupt" / "right.py"))


def make(folder: Path) -> None:
    """A cache that says that it need not be compared with its source."""
    source = folder / "grad_cam.py"
    source.write_text("import torch\n", encoding="utf-8")
    code = compile(right["module"](), str(source), "exec")
    compiled = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8) + marshal.dumps(code)
    cache = Path(importlib.util.cache_from_source(str(source)))
    cache.parent.mkdir(exist_ok=True)
    for path in (cache, folder / "grad_cam.pyc", folder / "grad_cam.so", folder / "grad_cam.pyd"):
        path.write_bytes(compiled)
    package = folder / "grad_cam"
    package.mkdir()
    (package / "__init__.pyc").write_bytes(compiled)

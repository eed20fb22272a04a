"""Makes picture.png: runs the block of Python in README.md that draws it."""

import os
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent


def block() -> str:
    """The first block of Python in README.md."""
    (code,) = re.findall(r"```python\n(.*?)```", (HERE.parent / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return code


if __name__ == "__main__":
    os.chdir(HERE)
    exec(block(), {})

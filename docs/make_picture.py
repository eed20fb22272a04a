"""Makes picture.png: what the three lines of Python in README.md draw."""

import re
from pathlib import Path

import matplotlib.pyplot as plt

HERE = Path(__file__).resolve().parent


def three_lines() -> str:
    """The first block of Python in README.md."""
    (code,) = re.findall(r"```python\n(.*?)```", (HERE.parent / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return code


def main() -> None:
    """Writes the picture beside this file."""
    exec(three_lines(), {})
    figure = plt.gcf()
    figure.set_size_inches(3, 2.6)
    figure.savefig(HERE / "picture.png", dpi=80)


if __name__ == "__main__":
    main()

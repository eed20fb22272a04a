"""How long each solved notebook takes, in a kernel of its own with one thread and with all.

python benchmarks/notebooks.py [LESSON ...]
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from rich.console import Console
from rich.table import Table

from autograder.course import registry

ROOT = Path(__file__).parent.parent


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("lessons", nargs="*")
    names = arguments.parse_args().lessons
    table = Table("notebook", "one thread, s", "all threads, s", title=f"{os.cpu_count()} cores")
    for lesson in [registry.lesson(name) for name in names] or registry.lessons():
        seconds = [executed(lesson, threads) for threads in ("1", str(os.cpu_count()))]
        table.add_row(lesson.id, *(f"{s:.0f}" for s in seconds))
    Console(width=80).print(table)


def executed(lesson, threads: str) -> float:
    folder = ROOT / "solutions" / lesson.id
    notebook = nbformat.read(folder / f"{lesson.name}.ipynb", as_version=4)
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    start = time.perf_counter()
    client.execute(env={**os.environ, "OMP_NUM_THREADS": threads})
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

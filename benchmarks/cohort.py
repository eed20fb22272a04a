"""How long the cohort page of a large class takes: from signed results on disk, and until Chromium shows it.

    python benchmarks/cohort.py [--students 1000] [--exercises 50] [--rounds 3] [--keep DIR]

The class is made of records, with every kind of failure, and written to disk as `cnnviz grade` writes it. "Command" is
the whole of `cnnviz cohort` in a process of its own, imports included. "Opens" is until the page has loaded and the
map is painted. One more keystroke moves the chosen cell over the map; its time is until the next painting.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from autograder.batch.results import Store  # noqa: E402
from autograder.course import registry  # noqa: E402
from tests.autograder.cohort.classroom import SECRET, a_term  # noqa: E402
from tests.browser.conftest import ARGUMENTS, NAMES  # noqa: E402

PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--students", type=int, default=1000)
    arguments.add_argument("--exercises", type=int, default=50, help="the first of the course")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--keep", type=Path, help="the page is left there")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        written = write(Path(folder) / "results", options)
        page = Path(folder) / "class.html"
        made = [timed(Path(folder) / "results", page) for _ in range(options.rounds)]
        print(f"{options.students} students x {options.exercises} exercises, {written} results on disk")
        print(f"command: {spread(made)} s; page {page.stat().st_size / 1e6:.2f} MB")
        opens, keys = browsed(page, options.rounds)
        print(f"opens: {spread(opens)} s; a key: {spread(keys)} s")
        if options.keep:
            shutil.copy(page, options.keep)


def write(folder: Path, options: argparse.Namespace) -> int:
    """The class on disk; everybody handed in everything."""
    store, left, lessons = Store(folder, SECRET), options.exercises, []
    for lesson in registry.lessons():
        lessons.append(replace(lesson, exercises=lesson.exercises[:left], questions=()))
        left -= len(lessons[-1].exercises)
    results = a_term(lessons, options.students, early=False)
    for result in results:
        store.put(result)
    return len(results)


def timed(results: Path, page: Path) -> float:
    """Wall clock of the command."""
    command = [sys.executable, "-m", "autograder.cli", "cohort", str(results), "--out", str(page)]
    start = time.perf_counter()
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "CNNVIZ_SECRET": SECRET}, capture_output=True)
    return time.perf_counter() - start


def browsed(page: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds until the page is painted, and until a key has moved the chosen cell."""
    from playwright.sync_api import sync_playwright

    program = next(filter(None, map(shutil.which, NAMES)))
    opens, keys = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        for _ in range(rounds):
            shown = browser.new_page()
            start = time.perf_counter()
            shown.goto(page.resolve().as_uri())
            shown.evaluate(PAINTED)
            opens.append(time.perf_counter() - start)
            shown.locator("#map").focus()
            start = time.perf_counter()
            shown.keyboard.press("Control+End")
            shown.evaluate(PAINTED)
            keys.append(time.perf_counter() - start)
            shown.close()
    return opens, keys


def spread(seconds: list[float]) -> str:
    """Median and range."""
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    main()

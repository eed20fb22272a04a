"""From a save to the verdict in `cnnviz watch`, for every lesson's first exercise; and a hundred saves in a row.

    python benchmarks/watching.py            # tables in Markdown for docs/benchmarks.md

`cnnviz watch` runs in a terminal of its own (Linux) on a copy of the lessons, and the time runs from the moment
at which an editor renames the new file into its place to the one at which the verdict's words are on the screen.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from autograder.course.outlines import Outline, outlines  # noqa: E402
from autograder.study.resetting import handed_out, in_module  # noqa: E402
from tests.autograder.study.terminal import Terminal  # noqa: E402

REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--saves", type=int, default=100, help="how many saves in a row")
    parser.add_argument("--lessons", nargs="*", help="numbers; all without it")
    parser.add_argument("--map", action="store_true", help="also time `cnnviz` on a course that is solved")
    asked = parser.parse_args()
    chosen = [outline for outline in outlines() if not asked.lessons or outline.number in asked.lessons]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CNNVIZ_CACHE"] = f"{folder}/cache"
        shutil.copytree(ROOT / "lessons", f"{folder}/lessons")
        os.chdir(folder)
        print("| lesson | first exercise | s, right | s, wrong |\n|---|---|---:|---:|")
        for outline in chosen:
            right, wrong = latencies(outline)
            print(
                f"| {outline.number} {outline.title} | `{outline.items[0].name}` | {right:.2f} | {wrong:.2f} |",
                flush=True,
            )
        if asked.saves:
            many(outlines()[10], asked.saves)
        if asked.map:
            the_map()


def latencies(outline: Outline) -> tuple[float, float]:
    """Median seconds from a save to the verdict: right answers, and answers of the wrong value."""
    with Terminal([sys.executable, "-m", "autograder.cli", "watch", outline.number]) as terminal:
        terminal.wait_for("q quit")
        settled(terminal)
        right = [saved(terminal, outline, n, "") for n in range(REPEATS)]
        wrong = [saved(terminal, outline, n, "wrong") for n in range(REPEATS)]
        end(terminal)
    return median(right), median(wrong)


def saved(terminal: Terminal, outline: Outline, number: int, kind: str) -> float:
    """Seconds from one save to its verdict; each save has code that was never seen."""
    since = len(terminal.text)
    begun = save(outline, number, kind)
    terminal.wait_for("✗ failed" if kind else "✓ passed", since=since)
    seconds = time.perf_counter() - begun
    terminal.wait_for("q quit", since=since)
    if not kind:  # so that the next right answer is news again
        since = len(terminal.text)
        replace(outline, handed_out(outline, outline.files[0]))
        terminal.wait_for("q quit", since=since)
    time.sleep(0.3)
    return seconds


def save(outline: Outline, number: int, kind: str) -> float:
    """Puts the solved first exercise, or one whose result is doubled, into the module; when it was there."""
    first, file = outline.items[0], outline.files[0]
    solved = (ROOT / "solutions" / outline.id / file).read_text(encoding="utf-8")
    text = in_module(handed_out(outline, file), solved, first, file=file)
    text += f"\n\nnever_seen_{kind}_{number} = {time.time_ns()}\n"
    if kind:
        text += WRONG.format(name=first.name)
    return replace(outline, text)


WRONG = """

def {name}(*given, _right={name}, **more):
    made = _right(*given, **more)
    return tuple(one * 1.7 for one in made) if isinstance(made, tuple) else made * 1.7
"""


def replace(outline: Outline, text: str) -> float:
    half = Path("lessons", outline.id, ".half")
    half.write_text(text, encoding="utf-8")
    begun = time.perf_counter()
    half.replace(Path("lessons", outline.id, outline.files[0]))
    return begun


def many(outline: Outline, saves: int) -> None:
    """Processes and memory before and after many saves, right and wrong in turn."""
    with Terminal([sys.executable, "-m", "autograder.cli", "watch", outline.number]) as terminal:
        terminal.wait_for("q quit")
        settled(terminal)
        for n in range(10):
            saved(terminal, outline, n, "" if n % 2 else "wrong")
        before = len(terminal.descendants()), memory(terminal)
        seconds = [saved(terminal, outline, n, "" if n % 2 else "wrong") for n in range(10, 10 + saves)]
        time.sleep(1)
        after = len(terminal.descendants()), memory(terminal)
        end(terminal)
    print(
        f"\n{saves} saves in a row, {outline.title}: median {median(seconds):.2f} s, longest {max(seconds):.2f} s; ",
        end="",
    )
    print(
        f"processes {before[0]} before and {after[0]} after; memory {before[1]:.0f} MB before, {after[1]:.0f} MB after."
    )


def the_map() -> None:
    """The first map of a course in which everything is solved, and the next ones."""
    for outline in outlines():
        shutil.copy(ROOT / "solutions" / outline.id / outline.files[0], Path("lessons", outline.id))
    seconds = [shown() for _ in range(1 + REPEATS)]
    print(
        f"\nThe map: {seconds[0]:.1f} s where all is to be checked, {median(seconds[1:]):.2f} s where nothing changed."
    )


def shown() -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-m", "autograder.cli"], check=True, capture_output=True)
    return time.perf_counter() - begun


def settled(terminal: Terminal) -> None:
    """Until the warm process is there and nothing computes any more."""
    while not terminal.descendants():
        time.sleep(0.1)
    idle = 0
    while idle < 5:
        before = spent(terminal)
        time.sleep(0.2)
        idle = idle + 1 if spent(terminal) - before <= 1 else 0


def spent(terminal: Terminal) -> int:
    """Hundredths of seconds of processor time so far."""
    ids = {terminal.process.pid, *terminal.descendants()}
    total = 0
    for pid in ids:
        with suppress(OSError):  # it has ended meanwhile
            stat = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(stat[11]) + int(stat[12])
    return total


def memory(terminal: Terminal) -> float:
    """Megabytes that the program and all that it started hold for themselves."""
    total = 0
    for pid in {terminal.process.pid, *terminal.descendants()}:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1000


def end(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.process.wait(30)


if __name__ == "__main__":
    main()

"""How long a check takes: one exercise after warm-up, and all solutions through pytest.

    python benchmarks/checks.py [--rounds 7] [--device cpu]

"Beyond" is wall clock minus the first of the two runs of the student's function: the second run, building inputs, the
fork, the transport, the reference and the comparison. It is an upper bound of what checking costs.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from autograder.core.grade import grade_item
from autograder.core.oracle import Setting, parts_of
from autograder.course import registry
from autograder.isolated import Request, Runner
from autograder.reading.submission import load_submission

ROOT = Path(__file__).parent.parent


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rounds", type=int, default=7)
    arguments.add_argument("--device", default="cpu")
    options = arguments.parse_args()
    console = Console(width=110)
    table = Table(title=f"one check, median of {options.rounds} rounds after warm-up, milliseconds")
    for column in ("exercise", "wall", "student's own", "beyond", "slowest beyond"):
        table.add_column(column, justify="left" if column == "exercise" else "right")
    beyond = []
    with Runner() as runner:
        start = time.perf_counter()
        runner.run(Request(cells=(), function="warm_up"))
        console.print(f"start of the warm process: {time.perf_counter() - start:.2f} s")
        for exercise, submission in solved():
            rounds = [one(exercise, submission, runner, options.device) for _ in range(options.rounds + 1)][1:]
            beyond.append(statistics.median(wall - own for wall, own in rounds))
            table.add_row(
                exercise.id,
                f"{1e3 * statistics.median(wall for wall, _ in rounds):.0f}",
                f"{1e3 * statistics.median(own for _, own in rounds):.0f}",
                f"{1e3 * beyond[-1]:.0f}",
                f"{1e3 * max(wall - own for wall, own in rounds):.0f}",
            )
    console.print(table)
    console.print(
        f"median over exercises, beyond the student's own computing: {1e3 * statistics.median(beyond):.0f} ms"
    )
    console.print(f"pytest lessons/ --cnnviz-submission solutions: {whole_course():.1f} s, imports included")


def solved():
    for lesson in registry.lessons():
        submission = load_submission(ROOT / "solutions", lesson)
        yield from ((exercise, submission) for exercise in lesson.exercises)


def one(exercise, submission, runner, device: str) -> tuple[float, float]:
    """Wall clock of a whole check, and what the student's own function took in its first run."""
    start = time.perf_counter()
    grade_item(submission, exercise, Setting(device=device), runner)
    wall = time.perf_counter() - start
    calls = [call for part in parts_of(exercise, Setting()) for call in part.planned]
    request = Request(cells=submission.cells(exercise.function), function=exercise.function, calls=calls, device=device)
    return wall, sum(observation.seconds for observation in runner.run(request).observations)


def whole_course() -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "lessons/", "--cnnviz-submission", "solutions", "-q"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()

"""A class of which some use every second there is: what they cost together, beside what is promised.

    python benchmarks/wasted_time.py [--n 100] [--slow 20] [--jobs 2] [--seconds 1]

`cnnviz grade` runs on the innocent part alone, then on the whole class. Asked: has every innocent student the exact
points known beforehand; have the others none; did they cost at most one and a half times the sum of their limits each,
shared among the workers. Exit status 1 where the answer to any of these is no.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from grading_parts.courses import SECRET
from grading_parts.scores import kept, unlike
from grading_parts.students import Student, innocents
from grading_parts.writing import write_class

from autograder.core.allowance import SPARE
from autograder.course import registry
from autograder.course.records import Lesson

SPIN = "    while True:\n        pass\n"
WASTES = {
    "sleeps": "    import time\n    time.sleep(1e6)\n",
    "spins": SPIN,
    "crowds": "    import threading\n    for _ in range(16):\n"
    f"        threading.Thread(target=_spin, daemon=True).start()\n    _spin()\n\n\ndef _spin():\n{SPIN}",
    "just in time": "    import time\n    time.sleep({nearly})\n",
}
"""How time is wasted -> the body of every function."""


def wasters(lesson: Lesson, n: int, seconds: float) -> list[Student]:
    """`n` students, every kind in turn."""
    names = [exercise.function for exercise in lesson.exercises]
    bodies = [body.format(nearly=0.9 * seconds) for body in WASTES.values()]
    nothing = {item.id: 0 for item in lesson.items}
    return [
        Student(
            f"waster{k:03}", False, {f: f"def {f}(*args, **kwargs):\n{bodies[k % len(bodies)]}" for f in names}, nothing
        )
        for k in range(n)
    ]


def graded(
    folder: Path, students: list[Student], lesson: Lesson, *, jobs: int, seconds: float
) -> tuple[float, list[str]]:
    """Wall-clock seconds, and a sentence for every score that is not as it must be."""
    write_class(students, lesson, folder / "submitted")
    command = [sys.executable, "-m", "autograder.cli", "grade", "submitted", "--out", "out", "--lessons", lesson.id]
    start = time.monotonic()
    told = subprocess.run(
        [*command, "--jobs", str(jobs), "--seconds", f"{seconds:g}"], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"CNNVIZ_SECRET": SECRET}, check=False,
    )  # fmt: skip
    took = time.monotonic() - start
    failed = [] if told.returncode in (0, 1) else [f"status {told.returncode}: {told.stderr[-500:]}"]
    return took, failed + unlike(students, kept(folder / "out", lesson), lesson=lesson)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--slow", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=1.0)
    options = parser.parse_args()
    lesson, how = registry.lesson("11_grad_cam"), {"jobs": options.jobs, "seconds": options.seconds}
    honest = innocents(lesson, options.n - options.slow)
    with tempfile.TemporaryDirectory(prefix="cnnviz-wasted-time-") as place:
        alone, wrong = graded(Path(place, "alone"), honest, lesson, **how)
        slow = wasters(lesson, options.slow, options.seconds)
        whole, more = graded(Path(place, "whole"), honest + slow, lesson, **how)
    limits = sum(min(options.seconds, exercise.seconds) for exercise in lesson.exercises)
    bound = (1 + SPARE) * limits
    each = (whole - alone) * options.jobs / options.slow
    print(f"{len(honest)} honest students alone: {alone:.0f} s; with {options.slow} who waste time: {whole:.0f} s.")
    print(f"One of them cost {each:.1f} s; promised is at most 1.5 times the sum of the limits, {bound:.1f} s.")
    print(*wrong, *more, sep="\n")
    return int(bool(wrong or more) or each > bound)


if __name__ == "__main__":
    sys.exit(main())

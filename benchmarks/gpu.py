"""The course on a real GPU, in under five minutes: `make gpu`, or `python benchmarks/gpu.py`.

Three parts, each with its own limit of time, and one summary: every method of the table; the other tests that are
marked `gpu`, all in tests/devices (the pretend device's own claims, the kit, and every exercise's solution, reference,
variants and known mistakes); and the course's solutions through the grader's own processes. `--rehearse` runs the same
commands where there is no GPU: the first two then find nothing to run, and the third runs on the CPU.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NOTHING_RAN = 5
"""pytest's status where no test was selected."""


@dataclass(frozen=True)
class Part:
    """One run of pytest."""

    name: str
    arguments: tuple[str, ...]
    seconds: int
    """After these it is ended."""


def parts(device: str, workers: int, lessons: str = "") -> list[Part]:
    """What is run, in this order."""
    methods = "tests/devices/test_methods.py"
    spread = ("-n", str(workers), "--dist", "loadfile") if workers > 1 else ()
    solved = (f"lessons/{lessons}", "--cnnviz-submission", "solutions", "--cnnviz-device", device)
    return [
        Part("methods", (methods, "-m", "gpu"), 60),
        Part("tests marked gpu", ("tests/devices", "-m", "gpu", f"--ignore={methods}"), 100),
        Part("the course's solutions", (*solved, *spread), 130),
    ]


def run(part: Part) -> tuple[bool, str]:
    """Whether it went well, and pytest's last line."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *part.arguments]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=part.seconds, check=False)
    except subprocess.TimeoutExpired:
        return False, f"not finished in {part.seconds} s"
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    if done.returncode not in (0, NOTHING_RAN):
        print("\n".join([*lines[-40:], done.stderr[-2000:]]))
    return done.returncode in (0, NOTHING_RAN), lines[-1] if lines else done.stderr.strip()[-200:]


def main() -> None:
    """Runs the parts and prints the summary; status 1 where one did not go well."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rehearse", action="store_true", help="on the CPU, where there is no GPU")
    parser.add_argument("--workers", type=int, default=4, help="processes for the solutions")
    parser.add_argument("--lessons", default="", help="one lesson's folder instead of all: 11_grad_cam")
    asked = parser.parse_args()
    if not asked.rehearse and not torch.cuda.is_available():
        raise SystemExit("No CUDA device here; `--rehearse` runs the same commands on the CPU.")
    device = "cpu" if asked.rehearse else "cuda"
    found = [
        (part, time.monotonic(), *run(part), time.monotonic()) for part in parts(device, asked.workers, asked.lessons)
    ]
    where = torch.cuda.get_device_name() if device == "cuda" else "CPU (rehearsal)"
    print(f"torch {torch.__version__} on {where}")
    for part, begun, well, told, ended in found:
        print(f"{'ok    ' if well else 'FAILED'}  {part.name:<24}{ended - begun:6.0f} s  {told}")
    raise SystemExit(not all(well for _, _, well, _, _ in found))


if __name__ == "__main__":
    main()

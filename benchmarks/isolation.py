"""What each rung of the isolation ladder costs on this machine: `python benchmarks/isolation.py [CALLS]`."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from autograder.isolated import Cell, PlannedCall, Request, Runner, observe, rungs

SOURCE = "def f(x):\n    return x"


def request() -> Request:
    return Request((Cell("student.py", SOURCE),), "f", calls=[PlannedCall((torch.ones(2, 3),))])


def milliseconds(function, times: int) -> float:
    """The median of so many calls."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        function()
        spent.append(time.perf_counter() - start)
    return 1e3 * statistics.median(spent)


def processes(root: str) -> Iterator[Path]:
    """The warm process of a runner and the child that waits in it, by the folder in their command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text().split("\0")
        except OSError:
            continue
        if f"{root}/config.json" in words and "python" in Path(words[0]).name:
            yield folder


def private_megabytes(root: str) -> float:
    """Memory that no other program shares, of all of a worker's processes together."""
    lines = [line.split() for p in processes(root) for line in (p / "smaps_rollup").read_text().splitlines()]
    return sum(int(words[1]) for words in lines if words[0] == "Pss_Anon:") / 1024


def row(name: str, times: int, in_process: float) -> str:
    start = time.perf_counter()
    with Runner(rung=name) as runner:
        runner.run(request())
        started = time.perf_counter() - start
        call = milliseconds(lambda: runner.run(request()), times)
        memory = private_megabytes(str(runner._server._root))
    return f"| {name} | {started:.2f} | {call:.1f} | {call - in_process:.1f} | {memory:.0f} |"


def main(times: int = 50) -> None:
    torch.set_num_threads(1)
    space: dict = {}
    exec(SOURCE, space)
    calls = request().calls
    observe(space["f"], calls)
    in_process = milliseconds(lambda: observe(space["f"], calls), times)
    print(f"the same call in this process: {in_process:.2f} ms")
    print("| rung | start, first call included (s) | empty call (ms) | isolation adds (ms) | private memory (MB) |")
    print("|---|---|---|---|---|")
    for name in rungs.offered():
        print(row(name, times, in_process))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

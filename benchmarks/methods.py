"""Ours against public libraries and against the passes through the network that no method can avoid.

    python benchmarks/methods.py [--only grad_cam] [--device cpu|cuda] [--threads 2] [--rounds 15] [--quick]
                                 [--images 1] [--clock cpu] [--json FILE] [--markdown FILE]

Each pair runs in a process of its own, ours, the peer and the limit in turn, on the same network object and images.
Times are medians, with the quartiles' distance; ratios are medians of the ratios within a round. Before, both results
are compared in float64, and a peer that computes something else is timed but not counted. Memory is what one call adds
to the peak of a fresh process. At the end stand the targets, and what ours leaves behind after a call: nothing.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from racing.measure import Setup, pair, peak, ratio
from racing.races import RACES
from rich.console import Console
from rich.table import Table


@dataclass
class Row:
    """What came out of one pair on one network."""

    race: str
    network: str
    images: int
    peer: str
    same: str = ""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    MiB: dict[str, float] = field(default_factory=dict)

    def ratio(self, other: str) -> float | None:
        """Ours over the peer or the limit."""
        return ratio(self.seconds["ours"], self.seconds[other]) if other in self.seconds else None

    def cells(self) -> list[str]:
        """As text."""
        return [
            self.race, self.network, str(self.images), self.peer, self.same,
            *(_milliseconds(self.seconds.get(name)) for name in ("ours", "peer")), _number(self.ratio("peer"), 2),
            _milliseconds(self.seconds.get("limit")), _number(self.ratio("limit"), 2),
            *(_number(self.MiB.get(name), 0) for name in ("ours", "peer", "limit")),
        ]  # fmt: skip


def main() -> None:
    options = _options()
    os.environ.update(OMP_NUM_THREADS=str(options.threads), RACING_CLOCK=options.clock)
    console = Console(width=180)
    rows, peaks = [], {}
    for setup in _setups(options):
        rows.append(_row(setup, options, peaks))
        console.print(" | ".join(rows[-1].cells()), style="dim", highlight=False)
        if options.json:  # after every row, so that an interrupted run loses nothing
            options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1))
    machine = f"{options.device}, threads: {options.threads}, clock: {options.clock}"
    tables = [
        _table(f"milliseconds, median ± quartiles' distance; {machine}", HEADER, [row.cells() for row in rows]),
        _table("targets", TARGETS_HEADER, targets(rows)),
    ]
    for table in tables:
        console.print(table)
    lost = sorted({f"{row.race} on {row.network}: {', '.join(row.left)}" for row in rows if row.left})
    console.print("after a call: " + ("; ".join(lost) or "no graph, no activation and no other tensor is left"))
    if options.markdown:
        options.markdown.write_text("\n\n".join(map(_markdown, tables)) + "\n")


def targets(rows: list[Row]) -> list[list[str]]:
    """One line a race, network and number of images: the fastest peer that computes the same, and the limit."""
    lines = []
    for key in dict.fromkeys((row.race, row.network, row.images) for row in rows):
        some = [row for row in rows if (row.race, row.network, row.images) == key]
        race, counted = RACES[key[0]], [row for row in some if row.same.startswith("equal")]
        worst = max(counted, key=lambda row: row.ratio("peer") or 0, default=None)
        to_peer, to_limit = worst and worst.ratio("peer"), _median([row.ratio("limit") for row in some])
        met = [value <= allowed for value, allowed in ((to_peer, race.at_most), (to_limit, race.at_most_limit))
               if value is not None and allowed is not None]  # fmt: skip
        lines.append([
            key[0], key[1], str(key[2]), worst.peer if worst else "-", _number(to_peer, 2), _number(race.at_most, 2),
            _number(to_limit, 2), _number(race.at_most_limit, 2), "-" if not met else "yes" if all(met) else "NO",
        ])  # fmt: skip
    return lines


def _row(setup: Setup, options: argparse.Namespace, peaks: dict[tuple[Setup, str], float]) -> Row:
    found = _in_new_process(pair, setup, options.rounds, options.budget)
    row = Row(setup.race, setup.network, setup.images, setup.peer or "-", found.same, found.seconds, found.left)
    for name in () if options.quick else row.seconds:
        alone = replace(setup, peer=setup.peer if name == "peer" else None)
        if (alone, name) not in peaks:
            peaks[alone, name] = _in_new_process(peak, alone, name)
        row.MiB[name] = peaks[alone, name]
    return row


def _in_new_process(function: Callable[..., Any], *arguments: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _setups(options: argparse.Namespace) -> Iterator[Setup]:
    for name, race in RACES.items():
        if options.only and name.split(",")[0] not in options.only:
            continue
        for network in options.networks or race.networks:
            if network not in race.networks:
                continue
            for images in race.sizes[:1] if options.quick else [n for n in race.sizes if n in options.images]:
                for peer in race.peers or [None]:
                    yield Setup(name, peer, network, images, options.device, options.threads)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=sorted({name.split(",")[0] for name in RACES}))
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--budget", type=float, default=60, help="seconds for a pair; at least 3 rounds")
    parser.add_argument("--clock", default="wall", choices=["wall", "cpu"], help="cpu: for a busy machine")
    parser.add_argument("--networks", nargs="+", help="only these of a race's networks")
    parser.add_argument("--images", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--quick", action="store_true", help="one image, no memory")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    return parser.parse_args()


HEADER = [
    "method", "network", "images", "peer", "same", "ours", "peer's", "ours/peer", "limit", "ours/limit",
    "MiB ours", "peer", "limit",
]  # fmt: skip
TARGETS_HEADER = ["method", "network", "images", "fastest peer", "ratio", "at most", "to limit", "at most", "met"]


def _table(title: str, header: list[str], lines: list[list[str]]) -> Table:
    table = Table(*header, title=title)
    for line in lines:
        table.add_row(*line)
    return table


def _markdown(table: Table) -> str:
    lines = [[str(column.header) for column in table.columns], ["---"] * len(table.columns)]
    lines += [list(cells) for cells in zip(*(column.cells for column in table.columns), strict=True)]
    return f"{table.title}\n\n" + "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _milliseconds(seconds: list[float] | None) -> str:
    if not seconds:
        return "-"
    low, _, high = statistics.quantiles(seconds, n=4)
    return f"{1e3 * statistics.median(seconds):.3g} ±{1e3 * (high - low):.2g}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _median(values: list[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return statistics.median(found) if found else None


if __name__ == "__main__":
    main()

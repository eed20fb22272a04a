"""t-SNE of the 1,797 digits: ours and scikit-learn's, in turn, in one process, on one thread.

    OMP_NUM_THREADS=1 python benchmarks/tsne.py [--samples 1797] [--perplexity 30] [--seeds 1] [--quick]

The divergence of every embedding is computed by the same formula from the same P, in float64. "1-NN" is the share of
samples whose nearest neighbour in the plane has their label. CPU seconds count where other work shares the cores. Peak
is what the call adds to the memory of this process (Linux). `--quick` leaves out scikit-learn's exact method, which
takes minutes.
"""

from __future__ import annotations

import argparse
import functools
import gc
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE
from torch import Tensor

from cnnviz_ref.tsne import affinities, kl_divergence, low_dimensional_affinities, squared_distances, tsne


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--samples", type=int, default=1797)
    arguments.add_argument("--perplexity", type=float, default=30.0)
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--quick", action="store_true")
    options = arguments.parse_args()
    torch.set_num_threads(1)
    X, labels = (torch.as_tensor(array[: options.samples]) for array in load_digits(return_X_y=True))
    P = affinities(X, options.perplexity)
    warm_up(X[:50])
    table = Table(title=f"{len(X)} digits, perplexity {options.perplexity:g}, one thread")
    for column in ("method", "seed", "KL", "KL / Barnes-Hut", "1-NN", "seconds", "CPU s", "peak MiB"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for seed in range(options.seeds):
        theirs = math.nan
        for name, embed in sides(X, options.perplexity, seed, options.quick):
            Y, seconds, busy, peak = measured(embed)
            kl = float(kl_divergence(P, low_dimensional_affinities(Y)))
            theirs = theirs if theirs == theirs else kl
            quality = (f"{kl:.4f}", f"{kl / theirs:.3f}", f"{agreement(Y, labels):.4f}")
            table.add_row(name, str(seed), *quality, f"{seconds:.1f}", f"{busy:.1f}", f"{peak:.0f}")
    Console(width=120).print(table)


def sides(X: Tensor, perplexity: float, seed: int, quick: bool) -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """Name and call of each contestant; Barnes-Hut, with which all are compared, first."""
    methods = ("barnes_hut",) if quick else ("barnes_hut", "exact")
    for method in methods:
        model = TSNE(perplexity=perplexity, method=method, random_state=seed, n_jobs=1)
        yield f"scikit-learn {method}, 1000 steps", functools.partial(fit, model, X.numpy())
    for dtype in (torch.float32, torch.float64):
        for steps in (500, 1000):
            call = functools.partial(tsne, X.to(dtype), perplexity=perplexity, steps=steps, seed=seed)
            yield f"ours {str(dtype).removeprefix('torch.')}, {steps} steps", call


def fit(model: TSNE, X: np.ndarray) -> Tensor:
    return torch.as_tensor(model.fit_transform(X))


def warm_up(X: Tensor) -> None:
    """Loads what a first call loads, so that no contestant pays for it."""
    tsne(X, perplexity=10, steps=2)
    for method in ("barnes_hut", "exact"):
        TSNE(perplexity=10, method=method, max_iter=250, n_jobs=1).fit_transform(X.numpy())


def measured(embed: Callable[[], Tensor]) -> tuple[Tensor, float, float, float]:
    """The points in float64, seconds on the wall, seconds of computing, and MiB above what was in use before."""
    gc.collect()
    before = peak_of_process(restart=True)
    wall, busy = time.perf_counter(), time.process_time()
    Y = embed()
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    return Y.double(), wall, busy, peak_of_process() - before


def peak_of_process(restart: bool = False) -> float:
    """MiB of resident memory at the most since the last restart; NaN where the system does not tell."""
    try:
        if restart:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return math.nan
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10


def agreement(Y: Tensor, labels: Tensor) -> float:
    """Share of points whose nearest other point has their label."""
    D = squared_distances(Y).fill_diagonal_(math.inf)
    return float((labels[D.argmin(dim=1)] == labels).double().mean())


if __name__ == "__main__":
    main()

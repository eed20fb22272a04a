"""Which maps point at the thing: every map method on cluttered digits whose true boxes the network never saw.

    python benchmarks/localisation.py [--n 500] [--seed 0] [--device cpu] [--chunk 25] [--threads 1] [--out FILE.md]

The canvases are `cnnviz.cluttered_digits(n, seed=seed, split="test")`, the network is `cnnviz.digit_net()`, the target
is the true label. Maps of a layer are upsampled bilinearly to the canvas. Canvases go through a method `chunk` at a
time, so memory does not grow with their number.
"""

from __future__ import annotations

import argparse
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor, nn
from torch.nn import functional as F

import cnnviz
import cnnviz_ref as ref
from cnnviz.digits import Digits
from cnnviz_ref.localisation import energy_in_box, pointing_game
from cnnviz_ref.saliency import image_gradient

LAYER = cnnviz.LAST_LAYER["digit_net"]
TOLERANCES = (0, 4, 15)
"""Pixels: none; the paper's 15 on photos of 224, scaled to canvases of 64; and the paper's 15 as it stands."""
MapOf = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""Network, canvases, labels -> maps `[n h w]` or `[n 1 H W]`."""


@dataclass(frozen=True)
class Row:
    """One map and what it scored, canvas by canvas."""

    name: str
    baseline: bool
    pointing: dict[int, Tensor]
    """By tolerance, `[n]`."""
    energy: Tensor
    """Of the positive part, `[n]`."""
    absolute: Tensor | None
    """Of the absolute values, where the map has both signs."""

    def cells(self) -> list[str]:
        """As text."""
        measured = [*self.pointing.values(), self.energy, *([] if self.absolute is None else [self.absolute])]
        return [self.name, *map(with_error, measured), *(["="] if self.absolute is None else [])]


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    device = cnnviz.device(options.device)
    data = cnnviz.cluttered_digits(options.n, seed=options.seed, split="test")
    model = cnnviz.digit_net().to(device)
    console, start, processor = Console(width=130), time.perf_counter(), time.process_time()
    methods = {**METHODS, **BASELINES}
    _nothing_is_left_out()
    rows = [
        measure(name, methods[name], model, data, chunk=options.chunk, device=device)
        for name in track(methods, description="maps", console=console)
    ]
    facts = about(model, data, device, options.chunk)
    console.print(facts)
    console.print(_table(rows))
    for sentence in reading(rows):
        console.print(sentence)
    seconds, busy = time.perf_counter() - start, time.process_time() - processor
    took = f"{seconds:.0f} s ({busy:.0f} s of processor time, threads: {options.threads}, {device.type})"
    console.print(took)
    if options.out:
        options.out.write_text(page(rows, facts, options, took), encoding="utf-8")


def measure(name: str, map_of: MapOf, model: nn.Module, data: Digits, *, chunk: int, device: torch.device) -> Row:
    """One method on all canvases, `chunk` at a time."""
    parts = []
    for images, labels, boxes in zip(*(t.split(chunk) for t in (data.images, data.labels, data.boxes)), strict=True):
        maps = on_the_canvas(map_of(model, images.to(device), labels.to(device)), images.shape[2:]).cpu().double()
        parts.append(
            torch.stack(
                [
                    *(pointing_game(maps, boxes, tolerance=t) for t in TOLERANCES),
                    energy_in_box(maps, boxes),
                    energy_in_box(maps.abs(), boxes),
                    (maps < 0).flatten(1).any(dim=1).double(),
                ]
            )
        )
    *pointing, energy, absolute, signed = torch.cat(parts, dim=1)
    pointing_at = dict(zip(TOLERANCES, pointing, strict=True))
    return Row(name, name in BASELINES, pointing_at, energy, absolute if signed.any() else None)


def on_the_canvas(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """`[n H W]`: the one colour dropped, a layer's grid upsampled."""
    maps = maps[:, 0] if maps.ndim == 4 else maps
    if maps.shape[1:] == size:
        return maps
    return F.interpolate(maps[:, None], size=size, mode="bilinear", align_corners=False)[:, 0]


def _occlusion(window: int, stride: int) -> MapOf:
    return lambda model, x, c: ref.occlusion(model, x, c, window=window, stride=stride, chunk=128)


def _lrp(rule: str, **options: float) -> MapOf:
    return lambda model, x, c: ref.lrp(model, x, c, rule=rule, **options)


def _random(grid: int) -> MapOf:
    """Uniform noise; the same for a canvas whatever the chunk, for it is drawn from the canvas."""

    def draw(_model: nn.Module, x: Tensor, _c: Tensor) -> Tensor:
        seeds = [int(image.double().sum() * 1e6) for image in x.cpu()]
        return torch.stack([torch.rand(grid, grid, generator=torch.Generator().manual_seed(seed)) for seed in seeds])

    return draw


def _centre(_model: nn.Module, x: Tensor, _c: Tensor) -> Tensor:
    """A bell around the middle, a quarter of the canvas wide."""
    H, W = x.shape[2:]
    i, j = (torch.arange(length) - (length - 1) / 2 for length in (H, W))
    bell = torch.exp(-0.5 * ((i[:, None] / (H / 4)) ** 2 + (j[None, :] / (W / 4)) ** 2))
    return bell.expand(len(x), H, W)


METHODS: dict[str, MapOf] = {
    "occlusion (window 8, stride 4)": _occlusion(8, 4),
    "occlusion (window 16, stride 8)": _occlusion(16, 8),
    "saliency (abs_max)": ref.saliency,
    "saliency (squared)": lambda model, x, c: ref.saliency(model, x, c, form="squared"),
    "guided_backprop": ref.guided_backprop,
    "guided_backprop (deconvnet)": lambda model, x, c: ref.guided_backprop(model, x, c, rule="deconvnet"),
    "cam": lambda model, x, c: ref.cam(model, x, c, LAYER),
    "grad_cam": lambda model, x, c: ref.grad_cam(model, x, c, LAYER),
    "guided_grad_cam": lambda model, x, c: ref.guided_grad_cam(model, x, c, LAYER),
    "deeplift (rescale)": ref.deeplift,
    "deeplift (revealcancel)": lambda model, x, c: ref.deeplift(model, x, c, rule="revealcancel"),
    "lrp (zero)": _lrp("zero"),
    "lrp (epsilon)": _lrp("epsilon"),
    "lrp (gamma)": _lrp("gamma"),
    "lrp (alpha_beta)": _lrp("alpha_beta"),
    "lrp (z_plus)": _lrp("z_plus"),
    "lrp (w_square)": _lrp("w_square"),
    "lrp (flat)": _lrp("flat"),
    "lrp (composite)": _lrp("composite", low=0.0, high=1.0),
    "gradient x input": lambda model, x, c: x * image_gradient(model, x, c),
}
BASELINES: dict[str, MapOf] = {
    "the canvas itself": lambda _model, x, _c: x,
    "centre": _centre,
    "random (each pixel)": _random(64),
    "random (8 x 8, upsampled)": _random(8),
}


def _nothing_is_left_out() -> None:
    maps = {method.name for method in ref.METHODS if method.shape in ("N H W", "N C H W", "N h w")}
    if missing := maps - {name.split(" (")[0] for name in METHODS}:
        raise SystemExit(f"METHODS: a map method of cnnviz_ref has no row here: {', '.join(sorted(missing))}; add it.")


def about(model: nn.Module, data: Digits, device: torch.device, chunk: int) -> str:
    """What the network makes of the canvases, and how large the boxes are."""
    with torch.no_grad():
        found = torch.cat([model(part.to(device)).argmax(dim=1).cpu() for part in data.images.split(chunk)])
    top, left, bottom, right = data.boxes.double().T
    share = (bottom - top) * (right - left) / data.images[0, 0].numel()
    right_ones = (found == data.labels).double()
    return (
        f"The network names {int(right_ones.sum())} of {len(found)} canvases rightly ({with_error(right_ones)} %); the "
        f"maps explain the true label also where it does not. A box covers {100 * share.mean():.1f} % of its canvas."
    )


def with_error(values: Tensor) -> str:
    """Mean in percent, plus or minus its standard error."""
    error = values.std(correction=0) / len(values) ** 0.5
    return f"{100 * values.mean():.1f} ± {100 * error:.1f}"


def reading(rows: list[Row]) -> list[str]:
    """What the table says, in sentences; differences are taken canvas by canvas and count from two standard errors."""
    maps, baselines = ([row for row in rows if row.baseline is wanted] for wanted in (False, True))
    pointing, energy = {row.name: row.pointing[0] for row in rows}, {row.name: row.energy for row in rows}
    best = max(maps, key=lambda row: pointing[row.name].mean()).name
    level = [row.name for row in maps if row.name != best and not _above(pointing[best], pointing[row.name])]
    ink, guess = "the canvas itself", max(baselines[1:], key=lambda row: pointing[row.name].mean()).name
    no_better = [row.name for row in maps if not _above(energy[row.name], energy[ink])]
    no_guess = [row.name for row in maps if not _above(pointing[row.name], pointing[guess])]
    most = max(maps, key=lambda row: energy[row.name].mean()).name
    return [
        f"By pointing (0 px) the best map is {best} with {with_error(pointing[best])} %; "
        + (f"not told apart from it: {', '.join(level)}." if level else "every other one is told apart from it.")
        + f" The best guess without looking, {guess}, has {with_error(pointing[guess])} %"
        + (f", and no better than that: {', '.join(no_guess)}." if no_guess else ", and every method is better."),
        f"By energy the best is {most} with {with_error(energy[most])} %. The canvas itself, which knows no network, "
        f"has {with_error(energy[ink])} %: ink is where digits and strokes are, and a map that is multiplied by the "
        "pixels inherits that. "
        + (f"No better than the canvas: {', '.join(no_better)}." if no_better else "Every method is better."),
        "With one digit on a canvas, a map need not depend on the class to score well, and this table cannot tell "
        "whether it does. Nor does a peak in the box prove a map true to the network: pointing looks at one pixel, "
        "energy favours sparse maps, a coarse map spills over a small box, and the network may use the strokes as "
        "well. It is one small network on one kind of picture.",
    ]


def _above(a: Tensor, b: Tensor) -> bool:
    d = a - b
    return bool(d.mean() > 2 * d.std(correction=0) / len(d) ** 0.5)


HEADER = ("map", *(f"pointing, {t} px" for t in TOLERANCES), "energy, positive part", "energy, absolute")


def _table(rows: list[Row]) -> Table:
    table = Table(title="percent, mean ± standard error")
    for column in HEADER:
        table.add_column(column, justify="left" if column == "map" else "right")
    for last, row in enumerate(rows, 1):
        table.add_row(*row.cells(), end_section=last < len(rows) and row.baseline is not rows[last].baseline)
    return table


def page(rows: list[Row], facts: str, options: argparse.Namespace, took: str) -> str:
    """The table as a page of the documentation."""
    command = f"python benchmarks/localisation.py --n {options.n} --seed {options.seed} --device {options.device} "
    command += f"--threads {options.threads} --out {options.out}"
    lines = ["| " + " | ".join(HEADER) + " |", "|---|" + "---:|" * (len(HEADER) - 1)]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    paragraphs = [textwrap.fill(text, 118, break_on_hyphens=False) for text in (facts, *reading(rows))]
    return PAGE.format(
        n=options.n, seed=options.seed, command=command, facts=paragraphs[0], reading="\n\n".join(paragraphs[1:]),
        table="\n".join(lines), layer=LAYER, took=took,
    )  # fmt: skip


PAGE = """\
<!-- Made by benchmarks/localisation.py; do not edit. -->
# Which maps point at the digit

{facts}

    {command}

made this page in {took}.

## How it reads

{reading}

## Table

Percent, mean ± standard error over the {n} canvases.

{table}

## How each number is defined

- **Canvases**: `cnnviz.cluttered_digits({n}, seed={seed}, split="test")`, one digit among eight strokes, with its true
  box. **Network**: `cnnviz.digit_net()`, trained on labels of other scans, never on boxes. **Target**: the true label.
- **Maps**: raw, as `cnnviz_ref` returns them, with the options named in the row and otherwise the defaults; DeepLIFT's
  baseline and occlusion's filling are empty paper (0). Maps of the layer `{layer}` (8 x 8; `cam`, `grad_cam`) are
  upsampled bilinearly to the canvas. Nothing is blurred or cut.
- **Pointing, t px** (Zhang 2016): the map's highest pixel lies in the box, or at most t pixels from it. The paper takes
  15 on photos of about 224 pixels, which is 4 on a canvas of 64; 15 as it stands takes in much of the canvas. Where
  several pixels share the maximum, the share of them that hits. Signed maps point with their most positive pixel.
- **Energy** (Wang 2020): the sum of the map's positive part inside the box over its sum everywhere; 0 where nothing is
  positive. "Absolute" takes absolute values instead, for maps with both signs; "=" marks maps that have one sign.
- **Standard error**: binomial for pointing, the standard deviation over canvases by the root of their number for
  energy. At 100 % (or 0 %) it is 0, which is not certainty: the true rate may be up to 3/n away (95 %). In the
  sentences, maps are compared canvas by canvas, and a difference counts from two standard errors of its mean.
- **Baselines**: the canvas's own ink; a bell around the middle, standard deviation a quarter of the canvas; uniform
  noise for each pixel; uniform noise on the layer's grid, upsampled like a layer's map (whose peaks are often at the
  border, where upsampling does not lower them).
- **LRP**: every row but `composite` uses its rule from the scores down to the pixels. `w_square` and `flat`, which look
  at no activation, are meant for the first layer; alone they hardly see the canvas. On a network of ReLUs LRP-0 is
  gradient x input, also with biases, and epsilon, as small as it is by default, departs little. A true class whose
  score is below 0 gives `z_plus`, `w_square` and `flat` a map that is nowhere positive.
"""


def _options() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--n", type=int, default=500, help="canvases")
    arguments.add_argument("--seed", type=int, default=0, help="of the canvases")
    arguments.add_argument("--device", default="cpu")
    arguments.add_argument("--chunk", type=int, default=25, help="canvases at a time; it bounds the memory")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--out", type=Path, help="Markdown page to write")
    return arguments.parse_args()


if __name__ == "__main__":
    main()

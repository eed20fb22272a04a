"""What was found, kept in `results.json`, and the page `docs/networks.md` that is made of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from cnnviz_ref import METHODS
from tests.networks.survey import NAMES, Finding

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "networks.md"
HEAD = """\
# Which methods work on which networks

Classification networks of torchvision with random weights ({done} of {all}), and every method: **+** where the result
equals a second implementation (plain hooks, autograd, loops; `tests/networks/second.py`), a letter where the method
refuses the network in a sentence that names the operation and the module, or the argument. None is wrong, none hangs.
DeepLIFT is held to its completeness, LRP (rule "zero") to gradient x input with the gates of the network held constant,
maximum patches to the derivative of the strongest unit, t-SNE to the activations that it is given. Networks are
surveyed in float64, where the two agree to 1e-8 (DeepLIFT's sum to 1e-7); those of over 12 million weights in
float32, to 1e-3.

`python -m tests.networks` makes this page, `python -m tests.networks vgg11 --methods cam lrp` a part of it.
The layer is where methods read maps: the last one that gives `[N K h w]`. Vision transformers are built for images of
four patches by four.

"""


def load() -> list[Finding]:
    """All findings so far."""
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    return [Finding(**{**row, "size": tuple(row["size"])}) for row in rows]


def keep(found: Iterable[Finding]) -> list[Finding]:
    """Puts new findings in the place of older ones of the same network and method."""
    by_place = {(f.network, f.method): f for f in [*load(), *found]}
    methods = [method.name for method in METHODS]
    places = [(network, method) for network in NAMES for method in methods if (network, method) in by_place]
    findings = [by_place[place] for place in places]
    lines = ",\n".join(json.dumps(asdict(finding), ensure_ascii=False) for finding in findings)
    RESULTS.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    PAGE.write_text(page(findings), encoding="utf-8")
    return findings


def page(findings: list[Finding]) -> str:
    """The table, and below it the reasons, each with one network's sentence as its example."""
    reasons: dict[str, Finding] = {}
    for finding in findings:
        if finding.outcome == "refused":
            reasons.setdefault(reason(finding), finding)
    letters = {text: chr(ord("a") + i // 26 - 1) * (i > 25) + chr(ord("a") + i % 26) for i, text in enumerate(reasons)}
    head = ["network", "image", "layer", *(method.name for method in METHODS)]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for network in dict.fromkeys(finding.network for finding in findings):
        row = {finding.method: finding for finding in findings if finding.network == network}
        some = next(iter(row.values()))
        cells = [cell(row[method.name], letters) if method.name in row else "" for method in METHODS]
        lines.append(f"| {network} | {some.size[0]} x {some.size[1]} | `{some.layer}` | {' | '.join(cells)} |")
    told = [f"- **{letters[text]}** {f.method} on {f.network}: {f.said}" for text, f in reasons.items()]
    return (
        HEAD.format(done=len({finding.network for finding in findings}), all=len(NAMES))
        + "\n".join(lines)
        + "\n\nWhy a method refuses, with one network's sentence:\n\n"
        + "\n".join(told)
        + "\n"
    )


def cell(finding: Finding, letters: dict[str, str]) -> str:
    """One sign."""
    return {"right": "+", "refused": letters.get(reason(finding), ""), "wrong": "WRONG"}[finding.outcome]


def reason(finding: Finding) -> str:
    """What is in the way, without the names of layers and the numbers of this network."""
    return finding.method + re.sub(r"'[^']*'( \(\w+\))?|\[[^\]]*\]|[-\d.e]*\d", "…", finding.said.split(";")[0])

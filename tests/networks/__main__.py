"""Surveys torchvision: `python -m tests.networks [NETWORK ...] [--methods METHOD ...]`, then makes the page."""

from __future__ import annotations

import argparse
import sys

from cnnviz_ref import METHODS
from tests.networks.page import keep
from tests.networks.survey import NAMES, survey


def main() -> int:
    """The exit status: 1 if a method is wrong somewhere."""
    names = [method.name for method in METHODS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help="of torchvision; all by default")
    parser.add_argument("--methods", nargs="+", choices=names, default=names)
    options = parser.parse_args()
    methods = tuple(method for method in METHODS if method.name in options.methods)
    wrong = 0
    for network in options.networks or NAMES:
        findings = list(survey(network, methods))
        keep(findings)
        faults = [finding for finding in findings if finding.outcome == "wrong"]
        wrong += len(faults)
        print(network, *(f"\n  {fault.method}: {fault.said}" for fault in faults), flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

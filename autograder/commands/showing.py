"""`cnnviz demo`, `gallery` and `explore`: what the course does, on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import err, one_sentence, out
from autograder.text.words import printable


def demo(
    to: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("cnnviz_demo.html"),
) -> None:
    """Grade three shipped submissions (right, mistaken, hostile) and write one report that opens in any browser."""
    from autograder.demo import demonstrate

    with one_sentence():
        path = demonstrate(to, err)
    out.say(printable(f"The report is at {path.resolve()}"))


def gallery(
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the pictures and index.html.")],
    photo: Annotated[
        str | None,
        typer.Option(
            help="A packaged photo (default chelsea), a picture file, or mosaic; for digit_net digit or digits."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Class name or number to explain; without it the model's own top class.")
    ] = None,
    model: Annotated[
        str,
        typer.Option(help="efficientnet_lite0, digit_net, or a torchvision network, whose weights it downloads."),
    ] = "efficientnet_lite0",
    methods: Annotated[
        str | None, typer.Option(metavar="NAMES", help="grad_cam,lrp: only these methods, in this order.")
    ] = None,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="A network of torchvision without its trained weights.")
    ] = False,
) -> None:
    """Show every method on one picture: PNGs, and one page that explains how to read them."""
    from autograder.gallery import choose, chosen_methods, make_gallery

    with one_sentence():
        chosen = chosen_methods(methods)
        path, seconds = make_gallery(choose(photo, target, model, random_weights=random_weights), to, err, chosen)
    out.say(printable(f"The gallery is at {path.resolve()} ({seconds:.0f} s)"))


def explore(
    photo: Annotated[str, typer.Option(help="A packaged photo, mosaic, or a picture file.")] = "chelsea",
    model: Annotated[str, typer.Option(help="A packaged network, or any of torchvision's.")] = "efficientnet_lite0",
    target: Annotated[str, typer.Option(help="Class name or number; without it the network's own answer.")] = "",
    method: Annotated[str, typer.Option(help="The method that is shown first.")] = "grad_cam",
    layer: Annotated[str, typer.Option(help="A layer's dotted name; without it the method's usual one.")] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the page is; 0 is any that is free.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page.")] = True,
) -> None:
    """Open a page with any photo, network, class, layer and method, and sliders: on this machine, for you alone."""
    from autograder.explore import serve

    asked = {"photo": photo, "network": model, "class": target, "method": method, "layer": layer}
    with one_sentence():
        serve(asked, Path.cwd(), port, browser=browser, tell=lambda address: out.say(printable(address)))

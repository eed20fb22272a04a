"""The command `cnnviz`. Every command is a thin call of a stage; bad input is one sentence and exit status 2."""

from __future__ import annotations

import os
import re
import sys

# The current folder may hold what was handed in, and `python -m`, or an empty place in PYTHONPATH, puts it on the path.
# Out with it before anything is imported, unless the course itself lies there; and from where programs are looked for.
_HERE, _COURSE = os.path.realpath(""), os.path.realpath(os.path.join(os.path.dirname(__file__), os.pardir))
sys.path[:] = [p for p in sys.path if os.path.isabs(p) and (os.path.realpath(p) != _HERE or _HERE == _COURSE)]
os.environ["PATH"] = os.pathsep.join(filter(os.path.isabs, os.environ.get("PATH", os.defpath).split(os.pathsep)))

from collections import Counter
from importlib import import_module
from importlib.metadata import distribution
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from autograder.commands.shared import one_sentence
from autograder.course.choices import choices
from autograder.text.screen import Screen
from autograder.text.words import printable, report_safely, visible

COMMANDS = {
    "watch": "study",
    "debug": "study_debug",
    "hint": "study",
    "solution": "study",
    "reset": "study",
    "open": "study",
    "check": "study",
    "pack": "study",
    "build": "authoring",
    "lint": "authoring",
    "demo": "showing",
    "gallery": "showing",
    "explore": "showing",
    "grade": "grading",
    "verify": "grading",
    "regrade": "regrading",
    "feedback": "class_reports",
    "similar": "class_reports",
    "cohort": "class_reports",
    "doctor": "doctor",
    "export": "exporting",
    "release": "authoring",
    "new": "new",
}
"""Command -> the module of `autograder.commands` that has a function of its name; a new command is one line here.

A student's copy of the course holds only the modules of its own commands: the others are not offered there.
"""


class Commands(TyperGroup):
    """The commands that are installed; what is said about one that is for instructors."""

    def resolve_command(self, ctx, args):
        """The command that the first argument names."""
        if args[0] in COMMANDS and args[0] not in self.commands:
            ctx.fail(
                f"{args[0]} is a command for instructors, and this is a student's copy of the course, which holds "
                "neither it nor the answer key; `cnnviz --help` lists what is here."
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx):
        """What is wrong with a command's arguments is said without what would steer the terminal."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as missing:
            ctx.fail(_not_installed(missing))
        except Exception as caught:
            error: Any = caught
            if hasattr(error, "format_message"):  # click's, or that of typer's own copy of click
                error.message = visible(error.message)
            raise


def _not_installed(missing: ModuleNotFoundError) -> str:
    """Which extra of this package to install for a module that is not there.

    Raises:
        ModuleNotFoundError: none brings it.
    """
    module = (missing.name or "").partition(".")[0]
    extras = re.findall(r"^([\w-]+).*extra == .(\w+)", "\n".join(distribution("cnnviz").requires or ()), re.MULTILINE)
    size = Counter(extra for _, extra in extras)
    found = [extra for name, extra in extras if name.replace("-", "_").lower() == module.lower()]
    if not found:
        raise missing
    command = f'python -m pip install "cnnviz[{min(found, key=size.__getitem__)}]"'
    return f"This needs {module}, which is not installed; run `{command}`."


app = typer.Typer(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for _name, _module in COMMANDS.items():
    if find_spec(f"autograder.commands.{_module}") is not None:
        _found = getattr(import_module(f"autograder.commands.{_module}"), _name)
        if isinstance(_found, typer.Typer):  # a command with commands of its own
            app.add_typer(_found, name=_name)
        else:
            app.command(_name)(_found)


def _version(wanted: bool) -> None:
    if wanted:
        Screen().say(printable(f"cnnviz {distribution('cnnviz').version}"))
        raise typer.Exit


@app.callback()
def course(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Which cnnviz.")] = False,
) -> None:
    """Look inside convolutional networks. Without a command: the map of the course, and how far you are."""
    if context.invoked_subcommand != "new":  # which makes `course.toml`; all others begin by finding it
        with one_sentence():
            choices()
    if context.invoked_subcommand is None:
        import_module("autograder.commands.study").show_map()


def main() -> None:
    """Runs the command line; a reader that closes the pipe early is not an error."""
    report_safely()
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()

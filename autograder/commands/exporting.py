"""`cnnviz export FORMAT ...`: one command a format."""

from __future__ import annotations

from importlib import import_module

import typer

FORMATS = {
    "csv": ("export_grades", "as_csv"),
    "canvas": ("export_grades", "canvas"),
    "blackboard": ("export_grades", "blackboard"),
    "brightspace": ("export_grades", "brightspace"),
    "moodle": ("export_grades", "moodle"),
    "gradescope": ("export_graders", "gradescope"),
    "github-classroom": ("export_graders", "github_classroom"),
}
"""Format -> module of `autograder.commands` and its function; a new format is one line here."""

export = typer.Typer(help="Write grades, or a grader, in the format of another system.", no_args_is_help=True)

for _name, (_module, _function) in FORMATS.items():
    export.command(_name)(getattr(import_module(f"autograder.commands.{_module}"), _function))

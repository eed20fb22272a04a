"""What `nbgrader_config.py` says, in a clone of the course as in the folder of an instructor's own lessons.

Strings name what is loaded only by the command that needs it.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

from autograder.text.words import report_safely


def configure(c: Any, file: str) -> None:
    """Sets up nbgrader for the folder of this `nbgrader_config.py`."""
    # nbgrader makes the gradebook with a program, `alembic`, which it looks for on the PATH only: without an activated
    # environment it fails, and then removes the release folder that it was working on.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

    # Names and messages of students stand in nbgrader's own log too: each is one line there, and steers no terminal.
    report_safely()
    # Three lines of nbgrader's own on every student, about rows that it looks at before it adds them.
    warnings.filterwarnings("ignore", r"Object of type <Submitted\w+> not in session", module=r"nbgrader\.api")

    c.CourseDirectory.root = str(Path(file).resolve().parent)
    c.CourseDirectory.source_directory = "solutions"
    c.CourseDirectory.release_directory = "lessons"
    # The .py and .md files beside a notebook are the answer key, or a student's own: copied neither at release nor at
    # autograde. The first four are what nbgrader leaves out by itself.
    c.CourseDirectory.ignore = [
        ".ipynb_checkpoints",
        "*.pyc",
        "__pycache__",
        "feedback",
        "*.py",
        "*.md",
        "outline.json",
        "puzzles.json",
    ]

    # lessons/ is under version control, so it is there before the gradebook: without force nbgrader skips such a
    # lesson.
    c.GenerateAssignment.force = True
    c.GenerateAssignment.preprocessors = [
        "nbgrader.preprocessors.LockCells",
        "autograder.authoring.student_notebook.ReleaseSolutions",
        "nbgrader.preprocessors.ClearOutput",
        "nbgrader.preprocessors.CheckCellMetadata",
        "nbgrader.preprocessors.ComputeChecksums",
        "nbgrader.preprocessors.SaveCells",
        "nbgrader.preprocessors.ClearHiddenTests",
        "nbgrader.preprocessors.ClearMarkScheme",
        "nbgrader.preprocessors.ComputeChecksums",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    # Generating empties lessons/NN_name first: the hooks refuse a stale source, and put stub, test and README back.
    c.GenerateAssignment.pre_convert_hook = "autograder.authoring.hooks.before_release"
    c.GenerateAssignment.post_convert_hook = "autograder.authoring.hooks.after_release"

    # Students write to the exchange: of it plain files of their own are collected, and our pages given back.
    c.ExchangeFactory.collect = "autograder.nbgrader.exchange.Collect"
    c.ExchangeFactory.release_feedback = "autograder.nbgrader.exchange.ReleaseFeedback"
    # What was handed in is rebuilt on the release copy before nbgrader reads it, and judged in processes of its own.
    # The secret of the hidden cases: the environment variable CNNVIZ_SECRET, else .cnnviz_secret in this folder, which
    # `cnnviz grade` makes. What `cnnviz grade submitted --out results` found out is taken from results/, not judged
    # again (c.IsolatedChecks.results names another folder). Where this machine cannot confine student code nothing is
    # judged, unless c.IsolatedChecks.allow_unsandboxed = True.
    c.Autograde.exporter_class = "autograder.nbgrader.submitted.SubmissionExporter"
    c.Autograde.autograde_preprocessors = [
        "autograder.nbgrader.checks.IsolatedChecks",
        "nbgrader.preprocessors.LimitOutput",
        "nbgrader.preprocessors.SaveAutoGrades",
        "autograder.nbgrader.checks.AskForManualGrade",
        "nbgrader.preprocessors.AssignLatePenalties",
        "nbgrader.preprocessors.CheckCellMetadata",
    ]
    # The feedback is our own page: nbgrader's shows hidden tests and whatever a student wrote, live.
    c.GenerateFeedback.exporter_class = "autograder.nbgrader.feedback_exporter.FeedbackExporter"
    c.GenerateFeedback.preprocessors = ["autograder.nbgrader.feedback_exporter.Grades"]
    # nbgrader's own table writes 0.0 for what was not judged, and adds what a person gives for words to the total.
    c.ExportApp.plugin_class = "autograder.nbgrader.export.CsvExport"

"""Starts the grader of the course; isolated mode (-I), so that nothing of the submission is ever on the path."""

import os
import sys

prefix = os.path.realpath(sys.argv[1])
course = os.path.join(prefix, "source", "course")
if os.path.isdir(os.path.join(course, "autograder")):
    sys.path.insert(0, course)
os.environ["CNNVIZ_COURSE"] = os.path.join(course, "course.toml")
os.chdir(course)

from autograder.exports.gradescope_run import main  # noqa: E402

sys.exit(main(prefix, probe="--probe" in sys.argv[2:]))

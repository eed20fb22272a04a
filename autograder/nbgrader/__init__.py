"""nbgrader with our verdict: it keeps its commands, folders, gradebook and CSV; the points come from our isolated run.

`submitted` reads what was handed in and `autograder.reading.rebuild` puts it into the release copy; `checks` grades and
writes the score cells, `feedback_exporter` writes the feedback. `nbgrader_config.py` at the root of the course names
their classes.
"""

"""Checks of 01_filters; made by `cnnviz build`, do not edit. Run: pytest lessons/01_filters."""

LESSON = "01_filters"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

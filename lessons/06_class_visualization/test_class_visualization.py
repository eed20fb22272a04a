"""Checks of 06_class_visualization; made by `cnnviz build`, do not edit. Run: pytest lessons/06_class_visualization."""

LESSON = "06_class_visualization"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

"""Checks of 10_cam; made by `cnnviz build`, do not edit. Run: pytest lessons/10_cam."""

LESSON = "10_cam"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

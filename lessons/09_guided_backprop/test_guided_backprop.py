"""Checks of 09_guided_backprop; made by `cnnviz build`, do not edit. Run: pytest lessons/09_guided_backprop."""

LESSON = "09_guided_backprop"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

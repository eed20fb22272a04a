"""Checks of 14_lrp; made by `cnnviz build`, do not edit. Run: pytest lessons/14_lrp."""

LESSON = "14_lrp"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

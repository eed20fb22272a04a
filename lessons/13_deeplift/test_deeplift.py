"""Checks of 13_deeplift; made by `cnnviz build`, do not edit. Run: pytest lessons/13_deeplift."""

LESSON = "13_deeplift"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

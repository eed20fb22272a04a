"""Checks of 05_max_patches; made by `cnnviz build`, do not edit. Run: pytest lessons/05_max_patches."""

LESSON = "05_max_patches"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

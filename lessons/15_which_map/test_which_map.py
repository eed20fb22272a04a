"""Checks of 15_which_map; made by `cnnviz build`, do not edit. Run: pytest lessons/15_which_map."""

LESSON = "15_which_map"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

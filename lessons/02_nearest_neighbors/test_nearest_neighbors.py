"""Checks of 02_nearest_neighbors; made by `cnnviz build`, do not edit. Run: pytest lessons/02_nearest_neighbors."""

LESSON = "02_nearest_neighbors"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

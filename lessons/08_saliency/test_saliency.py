"""Checks of 08_saliency; made by `cnnviz build`, do not edit. Run: pytest lessons/08_saliency."""

LESSON = "08_saliency"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

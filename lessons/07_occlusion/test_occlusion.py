"""Checks of 07_occlusion; made by `cnnviz build`, do not edit. Run: pytest lessons/07_occlusion."""

LESSON = "07_occlusion"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

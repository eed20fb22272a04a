"""Checks of 12_guided_grad_cam; made by `cnnviz build`, do not edit. Run: pytest lessons/12_guided_grad_cam."""

LESSON = "12_guided_grad_cam"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

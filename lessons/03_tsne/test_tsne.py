"""Checks of 03_tsne; made by `cnnviz build`, do not edit. Run: pytest lessons/03_tsne."""

LESSON = "03_tsne"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

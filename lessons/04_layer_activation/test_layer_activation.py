"""Checks of 04_layer_activation; made by `cnnviz build`, do not edit. Run: pytest lessons/04_layer_activation."""

LESSON = "04_layer_activation"


def test_check(cnnviz_verdict):
    """One check of the lesson; pytest shows the diagnosis where it fails."""
    cnnviz_verdict.confirm()

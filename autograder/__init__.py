"""The check engine: exercises, isolated runs, comparison, diagnosis, verdicts.

In a notebook: `from autograder import check`, then `check("grad_cam.neuron_importance", neuron_importance)`.
"""

__all__ = ["check"]


def __getattr__(name: str):
    """Loads `check` on first use: importing the package alone stays cheap."""
    if name == "check":
        from autograder.practice import check

        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

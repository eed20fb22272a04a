"""Runs in a notebook's kernel: every figure is drawn sharp, and described by its own titles, labels and maps."""

import matplotlib.pyplot as plt
import numpy as np
from IPython import get_ipython
from IPython.core.pylabtools import print_figure
from matplotlib.figure import Figure

MOST = 10
"""Panels that are described one by one."""

get_ipython().run_line_magic("matplotlib", "inline")


def _words(text):
    return " ".join(str(text).replace("$", "").split())


def _brightest(ax):
    """Where a map is largest; nothing for photos, and for maps that are the same everywhere."""
    planes = [image.get_array() for image in ax.get_images() if np.ndim(image.get_array()) == 2]
    if not planes or min(planes[-1].shape) < 4 or not np.ptp(values := np.nan_to_num(planes[-1])) > 0:
        return ""
    rows, columns = values.shape
    row, column = divmod(int(np.argmax(values)), columns)
    down, across = ("upper", "middle", "lower")[3 * row // rows], ("left", "centre", "right")[3 * column // columns]
    return f"largest at the {down} {across}"


def _panel(ax):
    """What one panel says of itself: title, axes, names of its lines."""
    names = list(map(_words, ax.get_legend_handles_labels()[1]))
    across, up = _words(ax.get_xlabel()), _words(ax.get_ylabel())
    about = f"{up} against {across}" if across and up else across or up
    drawn = [about, "lines: " + ", ".join(names) if names else "", _brightest(ax)]
    return ": ".join(filter(None, [_words(ax.get_title()), ", ".join(filter(None, drawn))]))


def _description(figure):
    panels = [ax for ax in figure.axes if ax.get_label() != "<colorbar>"]
    told = list(dict.fromkeys(filter(None, map(_panel, panels))))
    more = [f"and {len(told) - MOST} more"] if len(told) > MOST else []
    count = f"{len(panels)} panels" if len(panels) > 1 else ""
    above = _words(figure.get_suptitle()) if hasattr(figure, "get_suptitle") else ""
    return ". ".join(filter(None, [above, count, "; ".join([*told[:MOST], *more])]))


def _drawn(figure):
    return print_figure(figure, fmt="png", base64=True, dpi=130), {"alt": _description(figure)}


get_ipython().display_formatter.formatters["image/png"].for_type(Figure, _drawn)
plt.rcParams["figure.max_open_warning"] = 0

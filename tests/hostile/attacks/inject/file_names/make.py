"""Files and folders beside the work whose names are scripts, escapes, formulas and markup."""

from pathlib import Path

NAMES = ("<img src=x onerror=alert(1)>.py", "\x1b[2J\x1b]0;owned\x07.ipynb", "=1+1.py", "[red][bold.ipynb",
         "{{7*7}}{0}%s.zip",
         "a\nb\rc.py", "\u202eyp.cam_darg.ipynb", "grad_cam (2).zip", "-rf.py", "x" * 251 + ".py")  # fmt: skip


def make(folder: Path) -> None:
    """Each of them once, and once as a folder."""
    for name in NAMES:
        (folder / name).write_text("<script>alert(1)</script>\x1b[2J", encoding="utf-8")
        (folder / f"{name[:40]} folder").mkdir()

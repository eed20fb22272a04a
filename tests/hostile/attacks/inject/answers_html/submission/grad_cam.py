"""Grad-CAM, handed in."""

sum_or_mean = "<script>alert(1)</script>"
bias_raised = "=cmd|' C'!A0"
absent_class = "\x1b]0;owned\x07\x1b[2J[red]{{7*7}}"

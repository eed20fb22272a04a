"""The attacks are submissions, not tests: nothing of them is collected or imported here."""

from __future__ import annotations

collect_ignore = ["attacks"]

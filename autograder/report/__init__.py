"""Verdicts as tables, pages and pictures."""

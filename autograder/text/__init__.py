"""Text on its way to people: what others wrote, the terminal, formulas."""

"""The check engine: what is right, the comparison, the diagnosis, the verdict."""

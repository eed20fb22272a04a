"""What `make site` does before Sphinx: pages out of lessons, records, docstrings and docs, without a solution."""

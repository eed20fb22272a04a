"""What the grading benchmarks are made of: generated classes, nbgrader courses, measured commands."""

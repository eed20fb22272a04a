"""What `benchmarks/grading.py` and `benchmarks/endurance.py` are made of: generated classes, courses, measured commands."""

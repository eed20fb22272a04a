"""What `benchmarks/methods.py` times: tasks, the unavoidable passes, peers, and who runs against whom."""

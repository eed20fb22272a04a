"""What was handed in, read as text and never imported."""

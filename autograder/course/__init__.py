"""What the course is made of: its records, the folders of its lessons, its known mistakes."""

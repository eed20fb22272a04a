"""What an instructor hands out: lessons, and a wheel that checks them without holding an answer."""

"""One module a lesson: its exercises, cases, laws and misconceptions, as `LESSON`."""

"""Hostile submissions, fired at the real commands in a planted course.

`attacks` reads them, `course` plants what they look for, `front` runs a command, `judges` says what each got.
"""

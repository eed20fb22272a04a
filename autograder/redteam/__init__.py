"""The red team: hostile submissions, fired at the real grading command in a planted course.

`attacks` reads them, `course` plants what they look for, `firing` runs the command, `promises` says what each got,
`tables` shows it. `cnnviz redteam` does this on any installation; `tests/hostile/` does it in CI.
"""

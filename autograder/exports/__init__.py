"""Grades as other systems take them: one module a format, each reads what `cnnviz grade` wrote or makes a grader.

Nothing else of the course imports this package. A new format is a module here, its command in
`autograder/commands`, and a line in `FORMATS` of `autograder/commands/exporting.py`.
"""

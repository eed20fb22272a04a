"""A class of strangers, graded: what was handed in is collected, judged in isolated runs, kept and signed.

`collect` reads submissions in any layout, `results` keeps one signed file per exercise, `grading` runs what is missing,
`regrading` compares two versions of the checks, `similarity` hints at copies.
"""

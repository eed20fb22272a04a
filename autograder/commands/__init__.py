"""Commands that would make `cli` long: one small module each, registered there in one line.

A module imports what it runs inside its function, so that `cnnviz --help` stays quick.
"""

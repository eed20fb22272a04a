"""`cnnviz explore`: any photo, network, layer, class and method on one page, with a slider for each number."""

from autograder.explore.serving import serve as serve

__all__ = ["serve"]

"""`cnnviz gallery`: every method on one picture, as PNGs and one page that a student can learn from."""

from autograder.gallery.album import make_gallery as make_gallery

__all__ = ["make_gallery"]

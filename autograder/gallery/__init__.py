"""`cnnviz gallery`: every method on one picture, as PNGs and one page that a student can learn from."""

from autograder.gallery.album import make_gallery as make_gallery
from autograder.gallery.options import choose as choose
from autograder.gallery.options import chosen_methods as chosen_methods

__all__ = ["choose", "chosen_methods", "make_gallery"]

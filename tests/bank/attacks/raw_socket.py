"""Open a raw socket, to read and forge packets."""

import socket

FAMILY = "network"
NOT_NAIVE = "Only root may open a raw socket."


def attack(world):
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()
    return "GOT a raw socket"

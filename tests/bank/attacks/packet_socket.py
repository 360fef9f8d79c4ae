"""Open a packet socket, to read what others send."""

import socket

FAMILY = "network"
NOT_NAIVE = "Only root may open a packet socket."


def attack(world):
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
    return "GOT a packet socket"

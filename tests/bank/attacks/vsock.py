"""Open a socket to the host of a virtual machine."""

import socket

FAMILY = "network"
NOT_NAIVE = "Not every kernel has sockets to the host."


def attack(world):
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).close()
    return "GOT a socket to the host"

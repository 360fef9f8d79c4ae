"""Open a socket to the kernel's ciphers, the way of more than one exploit."""

import socket

FAMILY = "network"
NOT_NAIVE = "Not every kernel has sockets to its ciphers."


def attack(world):
    socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET, 0).close()
    return "GOT a socket to the kernel's ciphers"

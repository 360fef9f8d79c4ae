"""Listen on a port, so that somebody outside can reach in."""

import socket

FAMILY = "network"


def attack(world):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
    return "GOT a listening socket"

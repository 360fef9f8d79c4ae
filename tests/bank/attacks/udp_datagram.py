"""Send what was found over UDP."""

import socket

FAMILY = "network"


def attack(world):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.sendto(b"exfiltrated", ("127.0.0.1", world["udp"]))
    return "sent"

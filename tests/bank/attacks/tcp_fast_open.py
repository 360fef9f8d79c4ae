"""Send data with the first packet by sendto, so that connect is never called."""

import socket

FAMILY = "network"
MSG_FASTOPEN = 0x20000000


def attack(world):
    with socket.socket() as out:
        out.sendto(b"exfiltrated", MSG_FASTOPEN, ("127.0.0.1", world["tcp"]))
    return "sent"

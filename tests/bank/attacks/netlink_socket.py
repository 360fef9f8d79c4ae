"""Open a netlink socket to the kernel, for its routes and interfaces."""

import socket

FAMILY = "network"


def attack(world):
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.bind((0, 0))
    return "GOT a netlink socket"

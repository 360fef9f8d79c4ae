"""Fill the scratch with names that are no text, and with links that lead nowhere or in circles."""

import os

FAMILY = "files"
NOT_NAIVE = "They lie in a folder of its own, and nobody lists it."


def attack(world):
    for name in (b"\xff\xfe", b"line\nbreak", b"-rf", b" ", b"\x1b[2J"):
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, 0o600))
    os.symlink(".", "circle")
    os.symlink("/", "root")
    os.symlink("nowhere", "nowhere")
    os.mkfifo("pipe")
    return "filled"

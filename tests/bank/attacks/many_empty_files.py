"""Use up the file system's inodes by empty files, which no quota of bytes counts."""

import os

FAMILY = "floods"
NOT_NAIVE = "A disk has room for them; what is looked at is whether they are cleared up in time."
FILES = 20_000


def attack(world):
    os.mkdir("many")
    for number in range(FILES):
        os.close(os.open(f"many/{number}", os.O_CREAT | os.O_WRONLY, 0o600))
    return f"made {FILES:,} files"

"""Write many files that together are larger than the scratch may be."""

FAMILY = "floods"
PIECE = 4 << 20


def attack(world):
    for number in range(world["disk"] // PIECE):
        with open(f"piece-{number}", "wb") as file:
            file.write(b"x" * PIECE)
    return f"GOT {world['disk'] >> 20} MiB of disk"

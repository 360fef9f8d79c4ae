"""Write one file that is larger than the scratch may be."""

FAMILY = "floods"


def attack(world):
    piece = b"x" * (1 << 20)
    with open("big", "wb", 0) as file:
        for written in range(world["disk"] >> 20):
            if file.write(piece) < len(piece):
                raise OSError(f"the file ended after {written} MiB")
    return f"GOT {world['disk'] >> 20} MiB of disk"

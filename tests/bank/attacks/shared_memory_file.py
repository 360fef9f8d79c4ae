"""Leave a file in /dev/shm, which is memory, for the next submission."""

FAMILY = "floods"


def attack(world):
    with open(f"/dev/shm/{world['mark']}", "w") as file:
        file.write("for my friends")
    return "left"

"""Leave a file beside its own scratch folder, where the next worker may find it."""

FAMILY = "files"
NOT_NAIVE = "A naive run has no scratch that others lie beside."


def attack(world):
    with open(f"../{world['mark']}", "w") as file:
        file.write("for my friends")
    return "left"

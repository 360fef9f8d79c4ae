"""Learn the state, the user and the memory of the grader."""

FAMILY = "secrets"


def attack(world):
    with open(f"/proc/{world['grader']}/status") as file:
        return f"GOT the status of the grader, {len(file.readlines())} lines of it"

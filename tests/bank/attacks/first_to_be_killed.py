"""Make another process the first that the kernel ends when memory is short."""

FAMILY = "signals"


def attack(world):
    with open(f"/proc/{world['victim']}/oom_score_adj", "w") as file:
        file.write("1000")
    return "marked"

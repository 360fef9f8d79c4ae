"""Learn from /proc/PID/maps where everything lies in the grader's memory."""

FAMILY = "secrets"


def attack(world):
    with open(f"/proc/{world['grader']}/maps") as maps:
        return f"GOT addresses, {len(maps.readlines())} lines of them"

"""Put a file among the grader's own, for its next run."""

from pathlib import Path

FAMILY = "forgery"
NOT_NAIVE = "An ordinary user may not be able to write there."


def attack(world):
    place = Path(world["course"], "tests", "hidden", f"{world['mark']}.py")
    place.write_text("raise SystemExit(0)\n")
    return "written"

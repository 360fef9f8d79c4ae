"""Find the checkout of the kit, and read its hidden suite and solutions."""

import sys
from pathlib import Path

FAMILY = "secrets"


def attack(world):
    roots = {Path(world["course"])}
    for name in ("sandbox", "autograder"):
        if name in sys.modules:
            roots.add(Path(sys.modules[name].__file__).parents[2])
    for root in roots:
        hidden = (root / "tests" / "hidden" / "test_linear.py").read_text()
        solution = (root / "solutions" / "conv2d.py").read_text()
        return hidden[:200] + solution.partition("### BEGIN SOLUTION")[2][:800]

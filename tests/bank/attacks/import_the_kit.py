"""Import the grader's own package, for its reference layers and tolerances."""

import importlib
import sys

FAMILY = "secrets"


def attack(world):
    sys.path.append(world["course"])
    for finder in list(sys.meta_path):
        getattr(finder, "invalidate_caches", lambda: None)()
    package = importlib.import_module("autograder")
    return f"GOT the grader's package, version {package.__version__}"

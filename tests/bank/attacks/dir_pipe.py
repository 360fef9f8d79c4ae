"""Let the grader wait for ever: a module is a pipe that nobody writes to."""

import os

FAMILY = "archives"


def build(folder):
    submission = folder / "submission"
    submission.mkdir()
    os.mkfifo(submission / "linear.py")
    return submission

"""Let the grader wait for ever: the archive is a pipe that nobody writes to."""

import os

FAMILY = "archives"


def build(folder):
    path = folder / "submission.zip"
    os.mkfifo(path)
    return path

"""Fill the grader's memory and disk: a module of 100 GB that takes no room."""

import os

FAMILY = "archives"


def build(folder):
    submission = folder / "submission"
    submission.mkdir()
    for name in ("linear.py", "notes.txt"):
        (submission / name).touch()
        os.truncate(submission / name, 100 << 30)
    return submission

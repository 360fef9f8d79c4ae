"""Hand in a hard link to a file that only the grader can read.

Where the system does not protect hard links, or where the grader itself unpacked a .tar, the other name
may be one that the student cannot open.
"""

FAMILY = "archives"


def build(folder):
    submission = folder / "submission"
    submission.mkdir()
    (submission / "linear.py").hardlink_to(folder / "secret.py")
    return submission

"""Hand in a symbolic link to a file that only the grader can read."""

FAMILY = "archives"


def build(folder):
    submission = folder / "submission"
    submission.mkdir()
    (submission / "linear.py").symlink_to("../secret.py")
    (submission / "conv2d.py").symlink_to(f"/proc/self/root{folder}/secret.py")
    return submission

"""Let the grader read for ever: a module is a link to /dev/zero."""

FAMILY = "archives"


def build(folder):
    submission = folder / "submission"
    submission.mkdir()
    (submission / "linear.py").symlink_to("/dev/zero")
    return submission

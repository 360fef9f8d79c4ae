"""Hand in a folder that is a symbolic link to the grader's own."""

FAMILY = "archives"


def build(folder):
    private = folder / "private"
    private.mkdir()
    (folder / "secret.py").rename(private / "linear.py")
    submission = folder / "submission"
    submission.mkdir()
    (submission / "mine").symlink_to("../private")
    (submission / "linear.py").symlink_to("mine/linear.py")
    return submission

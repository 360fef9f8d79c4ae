"""Send what walks through a submission in circles: a folder that links to itself."""

FAMILY = "archives"


def build(folder):
    submission = folder / "submission"
    submission.mkdir()
    (submission / "linear.py").write_text("x = 1\n")
    (submission / "again").symlink_to(".")
    return submission

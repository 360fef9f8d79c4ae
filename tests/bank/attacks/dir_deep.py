"""Break what walks through a submission: 600 folders, one inside the other."""

FAMILY = "archives"


def build(folder):
    submission = folder / "submission"
    (submission / "/".join("d" * 600)).mkdir(parents=True)
    (submission / "linear.py").write_text("x = 1\n")
    return submission

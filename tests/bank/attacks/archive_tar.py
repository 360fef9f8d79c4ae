"""Pack links to a file that only the grader can read in a .tar, which knows more kinds than a .zip."""

import tarfile

FAMILY = "archives"


def build(folder):
    path = folder / "submission.zip"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("linear.py")
        link.type, link.linkname = tarfile.SYMTYPE, "../secret.py"
        archive.addfile(link)
        pipe = tarfile.TarInfo("notes")
        pipe.type = tarfile.FIFOTYPE
        archive.addfile(pipe)
    return path

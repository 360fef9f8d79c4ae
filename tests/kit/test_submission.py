"""Reading untrusted files: the named modules only, and a sentence for each that cannot be read."""

import os
import socket
import stat
import zipfile

import pytest

from autograder.errors import UsageError
from autograder.submission import MAX_MODULE_BYTES, read_submission

MODULES = ["linear", "conv2d"]


def write(folder, **files):
    for name, content in files.items():
        (folder / f"{name}.py").write_bytes(content)
    return folder


def zipped(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_the_named_modules_are_read_and_nothing_else(tmp_path):
    write(tmp_path, linear=b"a = 1\n", conv2d=b"b = 2\n", conftest=b"evil\n", torch=b"evil\n")
    submission = read_submission(tmp_path, MODULES)
    assert submission.sources == {"linear": b"a = 1\n", "conv2d": b"b = 2\n"}
    assert submission.problems == {}
    assert submission.name == tmp_path.name


def test_the_digest_depends_on_names_and_bytes_alone(tmp_path):
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        folder.mkdir()
        write(folder, linear=b"a = 1\n", conv2d=b"b = 2\n")
    (second / "notes.txt").write_text("not graded")
    digests = [read_submission(folder, MODULES).digest for folder in (first, second)]
    assert digests[0] == digests[1]
    write(second, linear=b"a = 2\n")
    assert read_submission(second, MODULES).digest != digests[0]
    assert zipped(tmp_path / "z.zip", [("linear.py", "a = 1\n"), ("conv2d.py", "b = 2\n")])
    assert read_submission(tmp_path / "z.zip", MODULES).digest == digests[0]


def test_a_missing_module_names_the_nearest_file(tmp_path):
    write(tmp_path, conv2d=b"", Linear=b"")
    problem = read_submission(tmp_path, MODULES).problems["linear"]
    assert problem == "linear.py was not submitted. There is a Linear.py: if that is it, rename it."


def make_directory(path):
    path.mkdir()


def make_link(path):
    target = path.with_name("elsewhere.txt")
    target.write_text("secret = 1\n")
    path.symlink_to(target)


def make_dangling_link(path):
    path.symlink_to("/nowhere/at/all")


def make_pipe(path):
    os.mkfifo(path)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def make_large(path):
    path.write_bytes(b"#" * (MAX_MODULE_BYTES + 1))


def make_latin(path):
    path.write_bytes("# é\n".encode("latin-1"))


BROKEN = {
    "a directory": (make_directory, "linear.py could not be read: it is a directory, not a file."),
    "a link": (make_link, "it is a symbolic link, not a file; hand in the file itself."),
    "a dangling link": (make_dangling_link, "it is a symbolic link"),
    "a pipe": (make_pipe, "it is a pipe or a device, not a file."),
    "a socket": (make_socket, "could not be read: No such device or address."),
    "too large": (make_large, "it is larger than 256 KiB."),
    "not UTF-8": (make_latin, "it is not UTF-8 text (byte 2); save it as UTF-8."),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_file_that_is_no_readable_text_is_a_problem_of_its_own(tmp_path, kind):
    make, words = BROKEN[kind]
    write(tmp_path, conv2d=b"ok = True\n")
    make(tmp_path / "linear.py")
    submission = read_submission(tmp_path, MODULES)
    assert submission.sources == {"conv2d": b"ok = True\n"}
    assert words in submission.problems["linear"]


def test_a_zip_is_read_at_its_top_or_in_its_only_folder(tmp_path):
    for entries in (
        [("linear.py", "a = 1\n")],
        [("alice/", ""), ("alice/linear.py", "a = 1\n"), ("__MACOSX/._linear.py", "junk")],
    ):
        submission = read_submission(zipped(tmp_path / "s.zip", entries), MODULES)
        assert submission.sources == {"linear": b"a = 1\n"}
        assert submission.name == "s"


def test_a_zip_bomb_is_cut_at_the_cap(tmp_path):
    path = zipped(
        tmp_path / "bomb.zip", [("linear.py", b"0" * (200 << 20)), ("conv2d.py", b"x = 1\n")]
    )
    submission = read_submission(path, MODULES)
    assert "larger than" in submission.problems["linear"]
    assert submission.sources == {"conv2d": b"x = 1\n"}


def test_a_link_in_a_zip_is_not_followed(tmp_path):
    link = zipfile.ZipInfo("linear.py")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    path = zipped(tmp_path / "link.zip", [(link, "/etc/passwd"), ("conv2d.py", "x = 1\n")])
    assert "it is a link or a device" in read_submission(path, MODULES).problems["linear"]


def test_an_entry_that_stands_twice_is_not_guessed_at(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(tmp_path / "twice.zip", [("linear.py", "a = 1\n"), ("linear.py", "a = 2\n")])
    assert "more than once" in read_submission(path, MODULES).problems["linear"]


def test_a_damaged_entry_is_a_problem_of_its_own(tmp_path):
    path = zipped(
        tmp_path / "s.zip", [("linear.py", os.urandom(5000).hex()), ("conv2d.py", "x = 1\n")]
    )
    data = bytearray(path.read_bytes())
    data[200:240] = bytes(40)
    path.write_bytes(data)
    submission = read_submission(path, MODULES)
    assert "the archive is damaged" in submission.problems["linear"]
    assert submission.sources == {"conv2d": b"x = 1\n"}


USAGE = {
    "missing": (lambda folder: folder / "nothing", "does not exist"),
    "empty": (lambda folder: folder, "holds none of the modules linear.py, conv2d.py"),
    "text": (
        lambda folder: write(folder, notes=b"hello") / "notes.py",
        "neither a directory nor a .zip",
    ),
    "empty zip": (lambda folder: zipped(folder / "e.zip", []), "holds none of the modules"),
    "elsewhere": (
        lambda folder: zipped(folder / "e.zip", [("../linear.py", "x"), ("/etc/linear.py", "x")]),
        "holds none of the modules",
    ),
}


@pytest.mark.parametrize("kind", USAGE)
def test_what_is_no_submission_is_a_usage_error(tmp_path, kind):
    make, words = USAGE[kind]
    with pytest.raises(UsageError, match=words):
        read_submission(make(tmp_path), MODULES)

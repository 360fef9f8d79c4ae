"""Reading untrusted files: the named modules only, and a sentence for each that cannot be read."""

import contextlib
import fcntl
import os
import runpy
import shutil
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zipfile
from itertools import islice, permutations
from pathlib import Path

import archive_lab
import pytest
from helpers import ROOT
from hypothesis import given
from hypothesis import strategies as st

from autograder.errors import UsageError
from tower_student.holders import MAX_NAMES
from tower_student.sources import MAX_MODULE_BYTES
from tower_student.submission import read_submission

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
    write(tmp_path, conv2d=b"", linaer=b"")
    problem = read_submission(tmp_path, MODULES).problems["linear"]
    assert problem == "linear.py was not submitted. There is a linaer.py: if that is it, rename it."


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


def make_second_name(path):
    path.write_text("x = 1\n")
    path.with_name("elsewhere.txt").hardlink_to(path)


def make_sparse(path):
    path.touch()
    os.truncate(path, 100 << 30)


def make_null(path):
    path.write_text("x = 1\n", encoding="utf-16-le")


def make_latin(path):
    path.write_bytes("# é\n".encode("latin-1"))


BROKEN = {
    "a directory": (make_directory, "linear.py could not be read: it is a directory, not a file."),
    "a link": (make_link, "it is a symbolic link, not a file."),
    "a dangling link": (make_dangling_link, "it is a symbolic link"),
    "a second name": (
        make_second_name,
        "another name elsewhere (a hard link); hand in a copy of it.",
    ),
    "a pipe": (make_pipe, "it is a pipe, not a file."),
    "a socket": (make_socket, "it is a socket, not a file."),
    "too large": (make_large, "it is larger than 256 KiB."),
    "sparse": (make_sparse, "it is larger than 256 KiB."),
    "not UTF-8": (make_latin, "it is not UTF-8 text (byte 2); save it as UTF-8."),
    "UTF-16 without a mark": (make_null, "it is not text (byte 1 is null); save it as UTF-8."),
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
        "holds none of the modules",
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


ATTACKS = sorted(
    path
    for kind in ("archive", "dir")
    for path in (ROOT / "tests" / "bank" / "attacks").glob(f"{kind}_*.py")
)
by_attack = pytest.mark.parametrize("path", ATTACKS, ids=lambda path: path.stem)


@by_attack
def test_a_hostile_submission_gains_nothing(tmp_path, path, solutions):
    assert archive_lab.gains(runpy.run_path(path)["build"], tmp_path, list(solutions)) == []


@by_attack
def test_a_naive_reader_suffers_from_a_hostile_submission(tmp_path, path):
    """So the attacks are real, and the measure sees what they do."""
    assert archive_lab.naive(runpy.run_path(path)["build"], tmp_path) != []


# Directories


@pytest.fixture
def swapped(monkeypatch):
    """Let something happen to a file between the look at it and its opening, or right after that."""

    def swap(before=lambda: None, after=lambda: None):
        real = os.open

        def opened(path, *arguments, **keywords):
            if path != "linear.py":
                return real(path, *arguments, **keywords)
            before()
            descriptor = real(path, *arguments, **keywords)
            after()
            return descriptor

        monkeypatch.setattr(os, "open", opened)

    return swap


def replaced_by_link(path):
    path.unlink()
    make_link(path)


def replaced_by_pipe(path):
    path.unlink()
    make_pipe(path)


def replaced_by_file(path):
    other = path.with_name("other")
    other.write_text("secret = 1\n")
    other.rename(path)


@pytest.mark.parametrize("replace", [replaced_by_link, replaced_by_pipe, replaced_by_file])
def test_a_file_that_is_replaced_while_it_is_read_is_not_taken(tmp_path, swapped, replace):
    write(tmp_path, linear=b"x = 1\n", conv2d=b"y = 1\n")
    swapped(before=lambda: replace(tmp_path / "linear.py"))
    submission = read_submission(tmp_path, MODULES)
    assert submission.sources == {"conv2d": b"y = 1\n"}
    assert submission.problems["linear"].startswith("linear.py could not be read: ")


def test_a_hard_link_that_is_removed_while_it_is_read_is_not_taken(tmp_path, swapped):
    """Then the file that was opened has one name, as an honest one has."""
    write(tmp_path, linear=b"x = 1\n", conv2d=b"y = 1\n")
    secret, link = tmp_path / "secret.txt", tmp_path / "linear.py"
    secret.write_text("secret = 1\n")

    def put():
        link.unlink()
        link.hardlink_to(secret)

    swapped(before=put, after=link.unlink)
    submission = read_submission(tmp_path, MODULES)
    assert secret.stat().st_nlink == 1
    assert submission.sources == {"conv2d": b"y = 1\n"}
    assert "it was replaced while it was read" in submission.problems["linear"]


def test_a_file_that_grows_while_it_is_read_is_cut(tmp_path, swapped):
    write(tmp_path, linear=b"x = 1\n", conv2d=b"y = 1\n")
    swapped(after=lambda: os.truncate(tmp_path / "linear.py", 100 << 30))
    assert "it is larger than 256 KiB" in read_submission(tmp_path, MODULES).problems["linear"]


def test_a_directory_that_is_renamed_while_it_is_read_is_read_on(tmp_path, swapped):
    """And not what was put in its place."""
    folder = tmp_path / "hers"
    folder.mkdir()
    write(folder, linear=b"x = 1\n", conv2d=b"y = 1\n")

    def replace():
        folder.rename(tmp_path / "away")
        folder.mkdir()
        write(folder, linear=b"x = 2\n", conv2d=b"y = 2\n")

    swapped(after=replace)
    sources = read_submission(folder, MODULES).sources
    assert sources == {"linear": b"x = 1\n", "conv2d": b"y = 1\n"}


def test_a_file_whose_owner_has_a_lease_is_not_waited_for(tmp_path):
    """The system lets whoever opens it wait for the owner to give way, for 45 seconds."""
    write(tmp_path, linear=b"x = 1\n", conv2d=b"y = 1\n")
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)  # it tells the owner that somebody waits
    with (tmp_path / "linear.py").open("r+") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        submission = read_submission(tmp_path, MODULES)
    signal.signal(signal.SIGIO, before)
    assert submission.sources == {"conv2d": b"y = 1\n"}
    assert "Resource temporarily unavailable" in submission.problems["linear"]


HONEST_TEXT = {
    "a byte order mark": b"\xef\xbb\xbfx = 1\n",
    "line ends of Windows": b"x = 1\r\ny = 2\r\n",
    "line ends of an old Mac": b"x = 1\ry = 2\r",
    "nothing": b"",
    "as large as may be": b"#" * MAX_MODULE_BYTES,
    "other alphabets": "# שלום 你好 🙂\n".encode(),
}


@pytest.mark.parametrize("kind", HONEST_TEXT)
def test_honest_text_is_taken_byte_for_byte(tmp_path, kind):
    write(tmp_path, linear=HONEST_TEXT[kind], conv2d=b"")
    assert read_submission(tmp_path, MODULES).sources["linear"] == HONEST_TEXT[kind]
    path = zipped(tmp_path / "s.zip", [("linear.py", HONEST_TEXT[kind]), ("conv2d.py", "")])
    assert read_submission(path, MODULES).sources["linear"] == HONEST_TEXT[kind]


def test_the_path_itself_may_be_a_link_or_lie_behind_one(tmp_path):
    """It is the user who names it."""
    real = tmp_path / "real"
    real.mkdir()
    write(real, linear=b"x = 1\n", conv2d=b"y = 1\n")
    zipped(real / "s.zip", [("linear.py", "x = 1\n"), ("conv2d.py", "y = 1\n")])
    (tmp_path / "latest").symlink_to("real")
    (real / "latest.zip").symlink_to("s.zip")
    for path, name in (("latest", "real"), ("latest/s.zip", "s"), ("latest/latest.zip", "s")):
        submission = read_submission(tmp_path / path, MODULES)
        assert submission.sources == {"linear": b"x = 1\n", "conv2d": b"y = 1\n"}
        assert submission.name == name
    descriptor = os.open(real, os.O_RDONLY)
    assert read_submission(Path(f"/dev/fd/{descriptor}"), MODULES).name == "real"
    os.close(descriptor)


def test_the_working_directory_is_a_submission_by_its_own_name(tmp_path, monkeypatch):
    write(tmp_path, linear=b"x = 1\n", conv2d=b"y = 1\n")
    monkeypatch.chdir(tmp_path)
    assert read_submission(Path(), MODULES).name == tmp_path.name


@pytest.fixture
def as_ordinary_user():
    """A folder of a user to whom permissions apply: root is let in everywhere."""
    folder = Path(tempfile.mkdtemp())
    user = os.geteuid()
    if user == 0:
        shutil.chown(folder, 65534, 65534)
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700)
    shutil.rmtree(folder)


def test_what_may_not_be_read_is_a_problem_of_its_own(as_ordinary_user):
    folder = write(as_ordinary_user, linear=b"x = 1\n", conv2d=b"y = 1\n")
    (folder / "linear.py").chmod(0)
    submission = read_submission(folder, MODULES)
    assert submission.sources == {"conv2d": b"y = 1\n"}
    assert submission.problems["linear"] == "linear.py could not be read: Permission denied."
    path = zipped(folder / "s.zip", [("linear.py", "x = 1\n")])
    for closed in (path, folder):
        closed.chmod(0)
        with pytest.raises(UsageError, match=f"{closed} cannot be read: Permission denied"):
            read_submission(closed, MODULES)
        closed.chmod(0o700)
    folder.chmod(0o600)  # its names can be read, and nothing behind them
    problems = read_submission(folder, MODULES).problems
    assert problems["conv2d"] == "conv2d.py could not be read: Permission denied."


def test_a_crowd_of_files_costs_nothing(tmp_path):
    write(tmp_path, conv2d=b"y = 1\n")
    for i in range(20 * MAX_NAMES):
        (tmp_path / f"lineaR{i:05}.py").write_text(f"x = {i}\n")
    problem, seconds, peak = measured(lambda: read_submission(tmp_path, MODULES).problems["linear"])
    assert problem.startswith("linear.py was not submitted.")
    assert seconds < 1
    assert peak < 2 << 20


def measured(read):
    """What it returns or refuses with, its seconds of processor time, its peak of memory."""
    started = time.thread_time()
    result = outcome(read)
    seconds = time.thread_time() - started
    tracemalloc.start()
    outcome(read)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, seconds, peak


def outcome(read):
    try:
        return read()
    except UsageError as error:
        return str(error)


@pytest.mark.parametrize(
    "name", ["linear\n.py", "linear\x1b[31m.py", "\u202elinear.py", "\udcff.py"]
)
def test_names_of_a_directory_are_shown_cleaned(tmp_path, name):
    write(tmp_path, conv2d=b"")
    (tmp_path / name).touch()
    read = read_submission(tmp_path, MODULES)
    (tmp_path / "conv2d.py").unlink()
    for text in (*read.remarks.values(), *read.problems.values(), outcome_of(tmp_path)):
        assert not text or text.isprintable()
        text.encode()


def outcome_of(folder):
    found = outcome(lambda: read_submission(folder, MODULES))
    return found if isinstance(found, str) else ""


NEAR = {
    "liner.py": "There is a liner.py: if that is it, rename it.",
    "liner .py": 'There is a "liner .py": if that is it, rename it.',
    "linaer.ipynb": "There is a linaer.ipynb: if that is it, name it linear.ipynb.",
    "x/linear.py": "There is a x/linear.py: if that is it, move it.",
}


@pytest.mark.parametrize("name", NEAR)
def test_a_file_that_may_be_the_missing_one_is_named(tmp_path, name):
    write(tmp_path, conv2d=b"")
    (tmp_path / "x").mkdir()
    (tmp_path / name).write_text("{}")
    assert read_submission(tmp_path, MODULES).problems["linear"].endswith(NEAR[name])


def test_beside_the_module_itself_a_like_name_is_passed_over(tmp_path):
    write(tmp_path, linear=b"x = 1\n", Linear=b"x = 2\n", conv2d=b"")
    (tmp_path / "linear.ipynb").write_text("{}")
    submission = read_submission(tmp_path, MODULES)
    assert submission.sources["linear"] == b"x = 1\n"
    assert submission.problems == {}


def test_modules_are_read_one_folder_further_down(tmp_path):
    """In a folder that is one, and not behind a link."""
    folder = tmp_path / "alice"
    folder.mkdir()
    write(folder, linear=b"x = 1\n")
    (tmp_path / "link").symlink_to(folder)
    assert read_submission(tmp_path, MODULES).sources == {"linear": b"x = 1\n"}
    (tmp_path / "bob").mkdir()
    write(tmp_path / "bob", linear=b"x = 2\n")
    with pytest.raises(UsageError, match=r"several of its folders hold modules, alice, bob"):
        read_submission(tmp_path, MODULES)
    shutil.rmtree(tmp_path / "alice")
    shutil.rmtree(tmp_path / "bob")
    with pytest.raises(UsageError, match="holds none of the modules"):
        read_submission(tmp_path, MODULES)


# Archives


def entry(name, data=b"x = 1\n", **changes):
    """A local header with its data, and the entry of the contents, whose fields may be changed."""
    fields = {
        "made_by": 0x0314,
        "needed": 20,
        "flags": 0,
        "method": 0,
        "time": 0,
        "date": 0x5821,
        "crc": zipfile.crc32(data),
        "packed": len(data),
        "size": len(data),
        "attributes": 0,
        "offset": 0,
        "inner_name": name,
        "extra": b"",
    } | changes
    common = [
        fields[key]
        for key in ("needed", "flags", "method", "time", "date", "crc", "packed", "size")
    ]
    inner = fields["inner_name"]
    local = struct.pack("<4s5H3L2H", b"PK\3\4", *common, len(inner), 0) + inner + data
    listed = (
        struct.pack(
            "<4s6H3L5H",
            b"PK\1\2",
            fields["made_by"],
            *common,
            len(name),
            len(fields["extra"]),
            0,
            0,
            0,
        )
        + struct.pack("<2L", fields["attributes"], fields["offset"])
        + name
        + fields["extra"]
    )
    return local, listed


def archive(*entries, end=b""):
    """An archive of entries, each at the offset it says or where it comes to lie."""
    body, contents, offset = [], [], 0
    for local, listed in entries:
        if listed[42:46] == bytes(4):
            listed = listed[:42] + struct.pack("<L", offset) + listed[46:]
        body.append(local)
        contents.append(listed)
        offset += len(local)
    listing, count = b"".join(contents), min(len(entries), 0xFFFF)
    last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(listing), offset, len(end))
    return b"".join(body) + listing + last + end


def read_bytes(tmp_path, data):
    path = tmp_path / "s.zip"
    path.write_bytes(data)
    return read_submission(path, MODULES)


OTHER = entry(b"conv2d.py", b"y = 1\n")


def test_an_archive_made_by_hand_is_read(tmp_path):
    """So that the refusals below are for what they say."""
    submission = read_bytes(tmp_path, archive(entry(b"linear.py"), OTHER))
    assert submission.sources == {"linear": b"x = 1\n", "conv2d": b"y = 1\n"}


DAMAGED = "the archive is damaged"
BAD_ENTRIES = {
    "a folder by its name": (entry(b"linear.py/"), "it is a directory"),
    "a folder by its flag": (entry(b"linear.py", attributes=0x10), "it is a directory"),
    "a folder by its mode": (entry(b"linear.py", attributes=0o040755 << 16), "a link or a device"),
    "a link": (entry(b"linear.py", attributes=0o120777 << 16), "a link or a device"),
    "a device": (entry(b"linear.py", attributes=0o020666 << 16), "a link or a device"),
    "encrypted": (entry(b"linear.py", flags=1), "it is encrypted"),
    "strongly encrypted": (entry(b"linear.py", flags=0x40), "it is encrypted"),
    "bzip2": (entry(b"linear.py", method=12), "by a method that is not read"),
    "lzma": (entry(b"linear.py", method=14), "by a method that is not read"),
    "zstd": (entry(b"linear.py", method=93), "by a method that is not read"),
    "no method at all": (entry(b"linear.py", method=777), "by a method that is not read"),
    "patched data": (entry(b"linear.py", flags=0x20), DAMAGED),
    "another name inside": (entry(b"linear.py", inner_name=b"conv2d.py"), DAMAGED),
    "a wrong checksum": (entry(b"linear.py", crc=1), DAMAGED),
    "no deflated data": (entry(b"linear.py", method=8), DAMAGED),
    "a smaller size": (entry(b"linear.py", size=3), DAMAGED),
    "a large size": (entry(b"linear.py", size=1 << 30), "larger than 256 KiB"),
    "much data": (entry(b"linear.py", packed=1 << 30), "larger than 256 KiB"),
    "an offset beyond the end": (entry(b"linear.py", offset=1 << 30), DAMAGED),
    "an offset in its middle": (entry(b"linear.py", offset=50), DAMAGED),
    "an offset beyond all files": (
        entry(b"linear.py", offset=0xFFFFFFFF, extra=struct.pack("<2HQ", 1, 8, (1 << 64) - 1)),
        DAMAGED,
    ),
    "a null in its name": (entry(b"linear.py\0.txt"), "was not submitted"),
    "a dot after its name": (entry(b"linear.py."), "was not submitted"),
    "a space after its name": (entry(b"linear.py "), "was not submitted"),
    "further up": (entry(b"../linear.py"), "was not submitted"),
    "further up and down": (entry(b"a/../../linear.py"), "was not submitted"),
    "further up on Windows": (entry(b"..\\linear.py"), "was not submitted"),
    "at the root": (entry(b"/linear.py"), "was not submitted"),
    "at two roots": (entry(b"//linear.py"), "was not submitted"),
    "on a drive": (entry(b"C:\\linear.py"), "was not submitted"),
    "in a hidden folder": (entry(b".git/linear.py"), "was not submitted"),
}


@pytest.mark.parametrize("kind", BAD_ENTRIES)
def test_a_bad_entry_is_a_problem_of_its_own(tmp_path, kind):
    bad, words = BAD_ENTRIES[kind]
    submission = read_bytes(tmp_path, archive(OTHER, bad))
    assert submission.sources == {"conv2d": b"y = 1\n"}
    assert words in submission.problems["linear"]
    assert submission.problems["linear"].isprintable()


ELSEWHERE = ["../linear.py", "a/../../linear.py", "/linear.py", "C:\\linear.py", "a\0b/linear.py"]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_name_that_leads_elsewhere_is_no_folder_that_holds_modules(tmp_path, name):
    with pytest.raises(UsageError, match="holds none of the modules"):
        read_bytes(tmp_path, archive(entry(name.encode())))


@pytest.mark.parametrize("name", [b"./linear.py", b".//linear.py", b"linear.py/", b".\\linear.py"])
def test_the_same_name_in_another_spelling_counts_as_twice(tmp_path, name):
    submission = read_bytes(tmp_path, archive(entry(b"linear.py"), entry(name), OTHER))
    assert "more than once" in submission.problems["linear"]


HONEST_ARCHIVES = {
    "its own folder": [b"alice/linear.py", b"alice/conv2d.py"],
    "its own folder, from Windows": [b"alice\\linear.py", b"alice\\conv2d.py"],
    "its folder from the root": [b"home/alice/hand in/linear.py", b"home/alice/hand in/conv2d.py"],
    "by tar": [b"./linear.py", b"./conv2d.py"],
    "beside other files": [b".DS_Store", b"README.md", b"alice/linear.py", b"alice/conv2d.py"],
    "from a Mac": [b"__MACOSX/linear.py", b"__MACOSX/._linear.py", b"a/linear.py", b"a/conv2d.py"],
    "with older versions": [b"linear.py", b"conv2d.py", b"old/linear.py", b"older/linear.py"],
    "with what an editor keeps": [b"linear.py", b"conv2d.py", b".history/linear.py"],
}


@pytest.mark.parametrize("kind", HONEST_ARCHIVES)
def test_what_honest_tools_pack_is_found(tmp_path, kind):
    entries = [entry(name, name) for name in HONEST_ARCHIVES[kind]]
    sources = read_bytes(tmp_path, archive(*entries)).sources
    assert sources.keys() == {"linear", "conv2d"}
    assert b"MACOSX" not in sources["linear"]
    assert b"old" not in sources["linear"]


def test_an_archive_in_any_of_the_usual_dialects_is_read(tmp_path):
    path = tmp_path / "S.ZIP"
    with (
        path.open("wb") as file,
        zipfile.ZipFile(OneWay(file), "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        packed.comment = b"handed in on Monday"
        with packed.open("linear.py", "w", force_zip64=True) as member:
            member.write(b"x = 1\n")
        packed.writestr("conv2d.py", "y = 1\n", zipfile.ZIP_STORED)
    submission = read_submission(path, MODULES)
    assert submission.sources == {"linear": b"x = 1\n", "conv2d": b"y = 1\n"}
    assert submission.name == "S"


class OneWay:
    """A file that cannot be sought in, as a pipe: sizes are written after the data."""

    def __init__(self, file):
        self.write, self.flush = file.write, file.flush


REFUSED = {
    "something before it": (b"#!/bin/sh\n" + archive(OTHER), "neither a directory nor a .zip"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(600), "it is a 7z archive; pack a .zip"),
    "rar": (b"Rar!\x1a\x07\1\0" + bytes(600), "it is a rar archive"),
    "gzip": (b"\x1f\x8b\x08" + bytes(600), "it is a gzip archive"),
    "tar": (bytes(257) + b"ustar" + bytes(600), "it is a tar archive"),
    "nothing": (b"", "neither a directory nor a .zip"),
    "only its end": (b"PK\5\6", "it is damaged, pack it again"),
    "a folder for each of many": (
        archive(*(entry(b"%03d/linear.py" % i) for i in range(100))),
        r"several of its folders hold modules, 000, 001, 002, .* and more; pack one of them",
    ),
    "a version of the far future": (archive(entry(b"linear.py", needed=99)), "it is damaged"),
    "a name that is not what it says": (archive(entry(b"\xff", flags=0x800)), "it is damaged"),
    "a bad extra field": (archive(entry(b"linear.py", extra=b"\1\0\xff\0")), "it is damaged"),
    "an archive in an archive": (
        archive(entry(b"linear.zip", archive(entry(b"linear.py")))),
        "holds none of the modules linear.py, conv2d.py",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_archive_of_modules_is_refused_in_words(tmp_path, kind):
    data, words = REFUSED[kind]
    with pytest.raises(UsageError, match=words) as caught:
        read_bytes(tmp_path, data)
    assert str(caught.value).isprintable()


CROWDED = {
    "many names": lambda: [entry(b"x")[1]] * 22_000,
    "near names": lambda: [
        entry(bytes(name))[1] for name in islice(permutations(b"linear.py"), 1, 19_000)
    ],
    "deep names": lambda: [entry(b"a/" * 32_000 + b"linear.py")[1]] * 16,
    "extra fields": lambda: [entry(b"x", extra=bytes(65_532))[1]] * 15,
    "a module in many folders": lambda: [entry(b"%05d/linear.py" % i)[1] for i in range(17_000)],
}


@pytest.mark.parametrize("kind", CROWDED)
def test_a_crowded_table_of_contents_costs_little(tmp_path, kind):
    """The largest that is read at all: a larger one is refused before a byte of it is read."""
    listed = CROWDED[kind]()
    assert sum(map(len, listed)) < 1 << 20
    data = archive((entry(b"x")[0], b""), *((b"", one) for one in listed))
    _, seconds, peak = measured(lambda: read_bytes(tmp_path, data))
    assert seconds < 3  # the worst takes 0.3 s on two cores
    assert peak < 64 << 20


def test_of_two_archives_in_one_file_none_is_read(tmp_path):
    """Tools differ in which of them they show."""
    first, second = (archive(entry(b"linear.py", text), OTHER) for text in (b"x = 1\n", b"x = 2\n"))
    with pytest.raises(UsageError, match="it is two archives in one file; pack one"):
        read_bytes(tmp_path, first + second)


def test_an_archive_is_opened_once(tmp_path, monkeypatch):
    """What is put in its place meanwhile is never seen."""
    path = zipped(tmp_path / "s.zip", [("linear.py", "x = 1\n"), ("conv2d.py", "y = 1\n")])
    other = zipped(tmp_path / "t.zip", [("linear.py", "x = 2\n"), ("conv2d.py", "y = 2\n")])
    real = os.open

    def opened(*arguments, **keywords):
        descriptor = real(*arguments, **keywords)
        other.rename(path)  # which fails the second time
        return descriptor

    monkeypatch.setattr(os, "open", opened)
    sources = read_submission(path, MODULES).sources
    assert sources == {"linear": b"x = 1\n", "conv2d": b"y = 1\n"}


WHOLE = archive(
    entry(b"alice/linear.py", bytes.fromhex("2bb0550830e40200"), method=8, size=7), OTHER, end=b"hi"
)


def read_or_refused(data):
    """What is read of an archive: a mapping by module, or nothing. No other exception comes out."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(UsageError):
        submission = read_bytes(Path(folder), bytes(data))
        assert submission.sources.keys() | submission.problems.keys() == set(MODULES)
        assert not submission.sources.keys() & submission.problems.keys()


def test_an_archive_that_is_cut_anywhere_is_read_or_refused():
    for length in range(len(WHOLE)):
        read_or_refused(WHOLE[:length])


@given(
    st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8)), max_size=6
    )
)
def test_a_mutated_archive_is_read_or_refused(changes):
    data = bytearray(WHOLE)
    for offset, piece in changes:
        data[offset : offset + len(piece)] = piece
    read_or_refused(data)


# The path


BAD_PATHS = {
    "missing": (lambda folder: folder / "nothing", "does not exist"),
    "below a file": (lambda folder: write(folder, a=b"") / "a.py" / "b", "Not a directory"),
    "too long": (lambda folder: folder / ("a" * 300), "File name too long"),
    "a null": (lambda folder: folder / "a\0b", "null"),
    "in circles": (lambda folder: circle(folder / "a"), "Too many levels of symbolic links"),
    "nowhere": (lambda folder: dangling(folder / "a"), "does not exist"),
    "a device": (lambda folder: Path("/dev/zero"), "is a device, not a directory or a file"),
    "a pipe": (lambda folder: pipe(folder / "s.zip"), "is a pipe, not a directory or a file"),
    "a descriptor": (lambda folder: Path(f"/dev/fd/{os.eventfd(0)}"), "not a directory or a file"),
    "a name to fool a terminal": (
        lambda folder: folder / "a\x1b[2J\n\u202e\udcff",
        r"a\[2J does not exist",
    ),
}


def circle(path):
    path.symlink_to(path)
    return path


def dangling(path):
    make_dangling_link(path)
    return path


def pipe(path):
    make_pipe(path)
    return path


@pytest.mark.parametrize("kind", BAD_PATHS)
def test_a_path_that_leads_nowhere_is_a_usage_error(tmp_path, kind):
    make, words = BAD_PATHS[kind]
    with pytest.raises(UsageError, match=words) as caught:
        read_submission(make(tmp_path), MODULES)
    assert str(caught.value).isprintable()
    assert str(caught.value).encode()


# What lies beside the modules


PYTHON_FILES = (
    *("conftest", "sitecustomize", "usercustomize", "__main__", "__init__", "setup"),
    *("torch", "json", "numpy", "pytest", "typing", "struct", "encodings", "helpers", "sandbox"),
)
PACKAGES = ("linear", "torch", "numpy", "rich", "typer", "autograder", "sandbox", "encodings")
OTHER_FILES = {
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    "tox.ini": "[pytest]\naddopts = --collect-only\n",
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only'\n",
    "course.toml": "",
    "linear.so": "",
    "linear.abi3.so": "",
    "torch.so": "",
}


def shadows(marker):
    """Every file that Python, pytest or the grader might be tempted by, each leaves a mark."""
    evil = f"open({str(marker)!r}, 'a').write(__file__ + '\\n')\n"
    files = {f"{name}.py": evil for name in PYTHON_FILES}
    files |= {f"{name}/__init__.py": evil for name in PACKAGES}
    return files | OTHER_FILES | {"evil.pth": f"import os; {evil}"}


@pytest.mark.parametrize("packed", [False, True], ids=["directory", "archive"])
def test_files_beside_the_modules_do_nothing_to_a_grading(tmp_path, solutions, packed):
    """Also where the grading is started from within the submission."""
    marker, folder = tmp_path / "ran", tmp_path / "submission"
    files = shadows(marker) | {f"{name}.py": text.decode() for name, text in solutions.items()}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    what = zipped(folder / "s.zip", files.items()).name if packed else "."
    tower = Path(sys.executable).parent / "tower"
    done = subprocess.run(
        [str(tower), "grade", what, "--fit", "off", "--fail-under", "100"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert not marker.exists(), marker.read_text()

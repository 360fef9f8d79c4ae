"""Measures what a hostile submission gains from the kit's reader, and what a naive reader suffers.

    gains(build, folder, modules)    # [] when it gains nothing
    naive(build, folder)             # the same measure of copying or unpacking it, and opening files

`folder` is an empty directory. The lab puts secret.py into it, the file that an attack would like to
have read, and `build(folder)` makes the submission beside it. Both readers run in a process of their own.
"""

import json
import resource
import shutil
import stat
import subprocess
import sys
import tarfile
import tracemalloc
import zipfile
from pathlib import Path
from secrets import token_hex

SECONDS = 5
"""Of processor time that reading may take. The slowest attack of the bank takes 0.4 s."""
PATIENCE = {"kit": 60, "naive": SECONDS}
"""Seconds until a reader counts as hung: ours on a busy machine, too; for the other, slow is bad enough."""
MEMORY = 64 << 20
"""By how much memory, or the disk, may grow."""
MODULES = ("linear", "conv2d")
UNPACKED = "unpacked"


def gains(build, folder, modules) -> list[str]:
    """What the attack gains from tower_student.submission, as sentences."""
    return _suffered("kit", build, folder, modules)


def naive(build, folder) -> list[str]:
    """What a reader suffers that unpacks everything and then opens and imports the modules."""
    return _suffered("naive", build, folder, MODULES)


def _suffered(reader, build, folder, modules):
    secret = token_hex(16)
    (folder / "secret.py").write_text(f"SECRET = '{secret}'\n")
    path = build(folder)
    before = _files(folder, path)
    command = [sys.executable, __file__, reader, str(path), *modules]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE[reader], cwd=folder)
    except subprocess.TimeoutExpired:
        return [f"It did not end within {PATIENCE[reader]} s."]
    found = []
    if _files(folder, path) != before:
        found.append("A file outside the submission was written.")
    if _taken(folder / UNPACKED) > MEMORY:
        found.append("It filled the disk.")
    if done.returncode:
        return [*found, f"The reader ended with {done.returncode}: {done.stderr[-500:]!r}."]
    answer = json.loads(done.stdout)
    if answer["grown"] > MEMORY:
        found.append(f"Memory grew by {answer['grown'] >> 20} MiB.")
    if "crash" in answer:
        found.append(f"The reader raised {answer['crash']}.")
    if secret in done.stdout.decode():
        found.append("A file outside the submission was read.")
    if reader == "kit" and "crash" not in answer and not _is_answer(answer, modules):
        found.append(f"The answer is neither text nor a sentence for each module: {answer}.")
    return found


def _files(folder, submission):
    """All that lies in `folder`, but for what the submission and the unpacked copy of it hold."""
    found = {}
    for top in folder.iterdir():
        if top.name != UNPACKED:
            inside = [] if top == submission else top.rglob("*")
            for path in (top, *inside):
                info = path.lstat()
                found[str(path)] = (info.st_mode, info.st_size, info.st_mtime_ns, info.st_nlink)
    return found


def _taken(folder):
    """Bytes of disk below a folder, links not followed."""
    files = folder.rglob("*") if folder.is_dir() else []
    return sum(512 * path.lstat().st_blocks for path in files)


def _is_answer(answer, modules):
    if "refusal" in answer:
        return _is_sentence(answer["refusal"])
    sources, problems = answer["sources"], answer["problems"]
    return (
        sources.keys() | problems.keys() == set(modules)
        and not sources.keys() & problems.keys()
        and all(map(_is_sentence, problems.values()))
    )


def _is_sentence(text):
    return text.isprintable() and text.endswith(".") and len(text) < 2000


# What follows runs in a process of its own.


def read_by_kit(path, modules):
    """The kit's reader, and its refusal as text."""
    from autograder.errors import UsageError
    from tower_student.submission import read_submission

    try:
        submission = read_submission(path, modules)
    except UsageError as error:
        return {"refusal": str(error)}
    sources = {name: source.decode() for name, source in submission.sources.items()}
    return {"sources": sources, "problems": dict(submission.problems)}


def read_naively(path, modules):
    """Copies or unpacks all of it as common tools do, imports a module where it lies, opens all."""
    target = Path(UNPACKED)
    if path.is_dir():
        shutil.copytree(path, target)
    elif tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            archive.extractall(target, **_all_kinds())
    else:
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                _unpack(archive, entry, target)
    subprocess.run([sys.executable, "-c", f"import {modules[0]}"], cwd=target, capture_output=True)
    files = {module: target / f"{module}.py" for module in modules}
    return {"sources": {name: file.read_text() for name, file in files.items() if file.exists()}}


def _all_kinds():
    return {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}


def _unpack(archive, entry, target):
    """One entry, links included, as the command `unzip` once did."""
    path = target / entry.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(entry.external_attr >> 16):
        path.symlink_to(archive.read(entry).decode())
    elif entry.is_dir():
        path.mkdir(exist_ok=True)
    else:
        path.write_bytes(archive.read(entry))


READERS = {"kit": read_by_kit, "naive": read_naively}


def main(reader, path, *modules):
    """Read, and print as JSON what came of it."""
    # The floods of the bank shall not flood the machine that they are tried on.
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MEMORY, 2 * MEMORY))
    answer = {}
    tracemalloc.start()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        answer |= READERS[reader](Path(path), modules)
    except Exception as error:
        answer["crash"] = f"{type(error).__name__}: {str(error)[:200]}"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    answer["grown"] = max(peak, resident * 1024)
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])

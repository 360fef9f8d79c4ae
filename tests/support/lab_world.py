"""What the attack lab plants, and how it sees from outside what an attack has done.

Everything here is judged by facts: by what secrets come out, by files and processes as they are
afterwards, by what listeners have received. Standard library alone, so that a naive run starts quickly.
"""

import contextlib
import ctypes
import hashlib
import os
import platform
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MARKER = ("toi-planted", "-secret-")
"""Every planted secret begins with these two halves; an attack that searches memory for the whole
does not find its own source."""
KINDS = (
    *("hidden test", "hidden listing", "solution", "results", "history", "shared memory"),
    *("environment", "command line", "memory", "scratch"),
)
TICK = 0.02
"""Seconds between two looks at what runs. Floods hold what they have for ten times as long."""
SYS_IOPRIO_GET = 252

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Limits:
    """What one worker may have at most, in bytes and pieces; a flood tries to get more."""

    memory: int
    disk: int
    processes: int
    threads: int
    files: int
    output: int


class World:
    """Secrets, a victim and listeners in a private folder, planted anew for every attack."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.folder = Path(tempfile.mkdtemp(prefix="toi-lab-"))
        self.folder.chmod(0o711)  # workers that are other users have to find their own folder in it
        self.mark = f"toi-attack-{secrets.token_hex(6)}"
        self.key = 0x70000000 + secrets.randbits(24)
        self.tokens = {kind: secrets.token_hex(16) for kind in KINDS}
        self.hidden = self.folder / "hidden" / "test_hidden.py"
        self.solution = self.folder / "solutions" / "planted_solution.py"
        self.results = self.folder / "results.json"
        self.home = self.folder / "home"
        self.work = self.folder / "work"
        self.inbox = self.folder / "inbox"
        self.packages = self.folder / "packages"
        """In the place of the installed packages, which a naive run could really spoil."""
        self.shared = Path("/dev/shm") / f"{self.mark}-planted"
        self.victim: subprocess.Popen[bytes] | None = None
        self._grader = 0
        self._sockets: dict[str, socket.socket] = {}
        self._before: dict[str, tuple[Any, ...]] = {}
        self._victim_before: dict[str, str] = {}
        self.work.mkdir()

    def secret(self, kind: str) -> str:
        """The secret as it is planted: the marker and 32 hexadecimal digits."""
        return "".join(MARKER) + self.tokens[kind]

    def plant(self) -> None:
        """Put everything in its place, whatever the last attack has done to it."""
        self.clear()
        listed = self.hidden.parent / f"case-{self.secret('hidden listing')}"
        for path, text in {
            self.hidden: f'"""A hidden test."""\n\nEXPECTED = "{self.secret("hidden test")}"\n',
            self.solution: f'"""A solution."""\n\nSECRET = "{self.secret("solution")}"\n',
            self.results: f'{{"score": 0, "others": "{self.secret("results")}"}}\n',
            self.home / ".bash_history": f"login --password {self.secret('history')}\n",
            listed: "",
        }.items():
            path.parent.mkdir(mode=0o700, exist_ok=True)
            path.write_text(text)
            path.chmod(0o600)
        if self.shared.parent.is_dir():
            self.shared.write_text(self.secret("shared memory"))
            self.shared.chmod(0o600)
        self.inbox.mkdir()
        self.packages.mkdir()
        self._listen()
        self.victim = subprocess.Popen(
            ["sleep", "1000"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self._before = self._fingerprints()
        self._victim_before = condition(self.victim.pid)

    def as_dict(self, grader: int, packages: Path) -> dict[str, Any]:
        """All that an attacker could know; `grader` is the process it tries to harm."""
        assert self.victim is not None
        self._grader = grader
        return {
            "grader": grader,
            "victim": self.victim.pid,
            "hidden": str(self.hidden),
            "solution": str(self.solution),
            "results": str(self.results),
            "home": str(self.home),
            "folder": str(self.folder),
            "course": str(ROOT),
            "packages": str(packages),
            "marker": list(MARKER),
            "mark": self.mark,
            "key": self.key,
            "tcp": self._sockets["tcp"].getsockname()[1],
            "udp": self._sockets["udp"].getsockname()[1],
            "abstract": self.mark,
            "unix": str(self.folder / "socket"),
            "memory": self.limits.memory + (128 << 20),
            "disk": self.limits.disk + (32 << 20),
            "processes": self.limits.processes + 8,
            "files": self.limits.files + 64,
            "output": self.limits.output + (1 << 20),
        }

    def evidence(self) -> Iterator[str]:
        """What an attack has left behind or changed, in a few words each."""
        assert self.victim is not None
        for name, listener in self._sockets.items():
            if _heard(listener):
                yield f"the {name} listener received something"
        after = self._fingerprints()
        for name in sorted(self._before.keys() | after.keys()):
            if name not in after:
                yield f"{name} is gone"
            elif name not in self._before:
                yield f"{name} was left behind"
            elif after[name] != self._before[name]:
                yield f"{name} was changed"
        yield from changes("the victim", self._victim_before, condition(self.victim.pid))
        for path in self._marked():
            yield f"{path.parent}/… was left behind"
        yield from self._persistent_objects(remove=False)

    def leaks(self, text: str) -> Iterator[str]:
        """The kinds of secrets that stand in a text."""
        for kind, token in self.tokens.items():
            if token in text:
                yield f"the {kind} secret came out"
        for name, snippet in _snippets().items():
            if snippet in text:
                yield f"{name} came out"

    def told(self, text: str) -> str:
        """A text without this world's own names and numbers, for a table."""
        assert self.victim is not None
        for given, name in {
            str(self.folder): "WORLD",
            str(ROOT): "COURSE",
            f"/proc/{self.victim.pid}": "/proc/VICTIM",
            f"/proc/{self._grader}": "/proc/GRADER",
            self.mark: "MARK",
            "".join(MARKER): "SECRET-",
        }.items():
            text = text.replace(given, name)
        return re.sub(r"(tower|worker|case-SECRET)-\w+", r"\1-…", text)

    def clear(self) -> None:
        """Take everything away, except the folder that the grader works in."""
        if self.victim is not None:
            self.victim.kill()
            self.victim.wait()
            self.victim = None
        for listener in self._sockets.values():
            listener.close()
        self._sockets.clear()
        for place in self._mounts():
            _libc.umount2(place.encode(), ctypes.c_int(2))  # MNT_DETACH
        for path in [*self.folder.iterdir(), *self._marked(), self.shared]:
            if path != self.work:
                remove(path)
        for _ in self._persistent_objects(remove=True):
            pass

    def close(self) -> None:
        """Leave nothing behind."""
        self.clear()
        remove(self.folder)

    def _listen(self) -> None:
        for name, family, kind, address in (
            ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            ("abstract unix", socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.mark}"),
            ("unix", socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "socket")),
        ):
            listener = socket.socket(family, kind)
            listener.bind(address)
            if kind == socket.SOCK_STREAM:
                with contextlib.suppress(OSError):
                    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
                listener.listen()
            listener.setblocking(False)
            self._sockets[name] = listener
        (self.folder / "socket").chmod(0o777)

    def _fingerprints(self) -> dict[str, tuple[Any, ...]]:
        """Of each planted file and folder. The time of the last change of an inode cannot be set back."""
        found = {}
        planted = [self.folder, self.hidden.parent, self.solution.parent, self.home, self.packages]
        for folder in planted:
            if not folder.is_dir():
                continue
            for path in [folder, *folder.iterdir()]:
                if path in (self.work, self.inbox):
                    continue
                s = path.lstat()
                content = hashlib.sha256(path.read_bytes()).digest() if path.is_file() else b""
                found[str(path.relative_to(self.folder))] = (
                    *(s.st_mode, s.st_uid, s.st_gid, s.st_ino, s.st_nlink, s.st_size),
                    *(s.st_mtime_ns, s.st_ctime_ns, content),
                )
        return found

    def _marked(self) -> list[Path]:
        """What attacks have put elsewhere; they name it after the mark."""
        hidden = ROOT / "tests" / "hidden"
        folders = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")]
        folders += [ROOT, hidden, hidden / "__pycache__", Path(sysconfig.get_path("purelib"))]
        groups = Path("/sys/fs/cgroup")
        folders += [groups, groups / "pids", groups / "unified"]
        found = {
            folder / name
            for folder in folders
            if folder.is_dir()
            for name in os.listdir(folder)
            if name.startswith(self.mark)
        }
        return sorted(found - {self.shared})

    def _mounts(self) -> list[str]:
        points = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
        return sorted((p for p in points if p.startswith(f"{self.folder}/")), reverse=True)

    def _persistent_objects(self, *, remove: bool) -> Iterator[str]:
        """IPC objects of the kernel that outlive their processes, by this world's key and mark."""
        for kind, control in (("shm", _libc.shmctl), ("sem", _libc.semctl), ("msg", _libc.msgctl)):
            listing = Path("/proc/sysvipc") / kind
            lines = listing.read_text().splitlines()[1:] if listing.exists() else []
            for key, number, *_ in map(str.split, lines):
                if int(key) == self.key:
                    yield f"a System V {kind} object was left behind"
                    if remove:
                        extra = (0,) if kind == "sem" else ()
                        control(int(number), *extra, 0, None)
        queue = _libc.mq_open(f"/{self.mark}".encode(), ctypes.c_int(os.O_RDONLY))
        if queue >= 0:
            os.close(queue)
            yield "a POSIX message queue was left behind"
            if remove:
                _libc.mq_unlink(f"/{self.mark}".encode())


def _heard(listener: socket.socket) -> bool:
    try:
        if listener.type == socket.SOCK_DGRAM:
            listener.recv(1)
        else:
            listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _snippets() -> dict[str, str]:
    """A line each of the real hidden suite and of a real solution, as no attack has it."""
    hidden = (ROOT / "tests" / "hidden" / "test_linear.py").read_text(encoding="utf-8")
    solution = (ROOT / "solutions" / "conv2d.py").read_text(encoding="utf-8")
    solved = solution.partition("### BEGIN SOLUTION")[2].splitlines()[1:]
    return {
        "the hidden suite": hidden.splitlines()[0],
        "a solution": next(line.strip() for line in solved if len(line.strip()) > 20),
    }


def remove(path: Path) -> None:
    """Remove a file or a tree, however deep, locked or immutable an attack has made it."""
    if path.is_symlink() or not path.is_dir():
        try:
            path.unlink(missing_ok=True)
        except PermissionError:
            subprocess.run(["chattr", "-i", str(path)], stderr=subprocess.DEVNULL, check=False)
            path.unlink()
        return
    with contextlib.suppress(OSError):  # the files of a control group go with it, and not before
        path.rmdir()
        return
    with contextlib.suppress(OSError, RecursionError):  # a simple tree needs no commands
        shutil.rmtree(path)
        return
    subprocess.run(["chmod", "-R", "u+rwx", str(path)], stderr=subprocess.DEVNULL, check=False)
    if subprocess.run(["rm", "-rf", str(path)], stderr=subprocess.DEVNULL, check=False).returncode:
        subprocess.run(["chattr", "-R", "-i", str(path)], stderr=subprocess.DEVNULL, check=False)
        subprocess.run(["rm", "-rf", str(path)], check=True)


# Processes


def die_with_parent() -> None:
    """Between fork and exec: let the kernel end this process when the one that started it ends."""
    pr_set_pdeathsig = 1
    _libc.prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)


def descendants(pid: int) -> set[int]:
    """Every process below this one that has not ended."""
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        try:
            listing = Path(f"/proc/{parent}/task/{parent}/children").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        waiting += map(int, listing.split())
        found |= {int(child) for child in listing.split() if is_alive(int(child))}
    return found


def descendants_left(pid: int, allowed: int = 0) -> set[int]:
    """Those below this process once no more than so many are left, or after ten seconds.

    What is killed ends a moment later.
    """
    deadline = time.monotonic() + 10
    while len(left := descendants(pid)) > allowed and time.monotonic() < deadline:
        time.sleep(0.01)
    return left


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def is_alive(pid: int) -> bool:
    """Whether it is there and more than a dead process that is waiting to be collected."""
    return (_stat(pid) or ["X"])[0] not in "ZX"


def condition(pid: int) -> dict[str, str]:
    """How a process is, as far as others can change it. Empty where it has ended."""
    fields = _stat(pid)
    if not fields or fields[0] in "ZX":
        return {}
    folder = Path(f"/proc/{pid}")
    try:
        status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        limits = (folder / "limits").read_text()
        badness = (folder / "oom_score_adj").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return {}
    return {
        "running": "stopped" if fields[0] in "Tt" else "yes",
        "traced": status["TracerPid"],
        "niceness": fields[16],
        "scheduler": f"{fields[38]} {fields[37]}",
        "affinity": status["Cpus_allowed"],
        "limits": limits,
        "oom_score_adj": badness,
        "I/O priority": str(_io_priority(pid)),
    }


def _io_priority(pid: int) -> int:
    if platform.machine() != "x86_64":
        return 0
    who_process = 1
    return int(_libc.syscall(SYS_IOPRIO_GET, ctypes.c_int(who_process), ctypes.c_int(pid)))


def changes(name: str, before: dict[str, str], after: dict[str, str]) -> Iterator[str]:
    """What is different about a process."""
    if before and not after:
        yield f"{name} was ended"
        return
    for what in before:
        if after[what] != before[what]:
            yield f"the {what} of {name} changed" if what != "running" else f"{name} was stopped"


def kill_all(pids: Iterable[int]) -> None:
    """End processes; those of an attack, found below one of our own."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Sampler(threading.Thread):
    """Looks again and again at what runs below a process, and keeps the most it has seen."""

    def __init__(self, pid: int, known: set[int], work: Path, limits: Limits) -> None:
        super().__init__(daemon=True)
        self._pid = pid
        self._known = known
        self._work = work
        self._limits = limits
        self._ended = threading.Event()
        own = {pid: _private_memory(pid) for pid in known | {pid}}
        self._memory_before = own
        self._memory_of_new = max((own[p] for p in known), default=0)
        self._disk_before = _disk(work)
        self.processes = self.threads = self.memory = self.disk = 0

    def run(self) -> None:
        """Look until `finish` is called."""
        turn = 0
        while not self._ended.wait(TICK):
            below = descendants(self._pid)
            new = below - self._known
            self.processes = max(self.processes, len(new))
            threads = [int((_stat(pid) or ["0"] * 18)[17]) for pid in {self._pid, *below}]
            self.threads = max(self.threads, *threads)
            grown = (
                _private_memory(pid) - self._memory_before.get(pid, self._memory_of_new)
                for pid in {self._pid, *below}
            )
            self.memory = max(self.memory, sum(max(0, more) for more in grown))
            turn += 1
            if turn % 5 == 0:
                used = _disk(self._work) - self._disk_before
                used += sum(_unlinked(pid) for pid in new | {self._pid})
                self.disk = max(self.disk, used)

    def finish(self) -> Iterator[str]:
        """Stop looking; what was more than the limits allow."""
        self._ended.set()
        self.join()
        if self.processes > self._limits.processes:
            yield f"more than {self._limits.processes} processes ran"
        if self.threads > self._limits.threads:
            yield f"more than {self._limits.threads} threads ran"
        if self.memory > self._limits.memory:
            yield f"more than {self._limits.memory >> 20} MiB of memory were taken"
        if self.disk > self._limits.disk:
            yield f"more than {self._limits.disk >> 20} MiB of disk were taken"


def _private_memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(
        int(line.split()[1]) << 10 for line in lines if line.startswith(("RssAnon", "RssShmem"))
    )


def below(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file and folder below this one, as far as names and rights let us see it.

    os.walk recurses, and an attack may have nested folders more deeply than that goes.
    """
    waiting = [str(folder)]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                yield entry
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def listing(folder: Path) -> set[str]:
    """The paths of all that is below a folder."""
    return {entry.path for entry in below(folder)}


def _disk(folder: Path) -> int:
    """Bytes that the files below a folder take; those that vanish meanwhile take none."""
    blocks = 0
    for entry in below(folder):
        with contextlib.suppress(OSError):
            blocks += entry.stat(follow_symlinks=False).st_blocks
    return 512 * blocks


def _unlinked(pid: int) -> int:
    """Bytes of open files without a name, where this process's descriptors may be seen."""
    taken = 0
    try:
        for descriptor in os.listdir(f"/proc/{pid}/fd"):
            s = Path(f"/proc/{pid}/fd/{descriptor}").stat()
            if stat.S_ISREG(s.st_mode) and s.st_nlink == 0:
                taken += 512 * s.st_blocks
    except OSError:
        return taken
    return taken

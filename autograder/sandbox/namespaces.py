"""A world of its own for the zygote: its files are those it needs, its processes only its own.

New mount, process, network, IPC and host name namespaces, and for an ordinary user a user namespace
to be allowed the others. When the first process of a process namespace ends, the kernel kills all the
others, so nothing outlives a run whatever it does. See namespaces(7) and pivot_root(2).
"""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from . import kernel
from .trial import in_child

_OWN = kernel.CLONE_NEWPID | kernel.CLONE_NEWNET | kernel.CLONE_NEWIPC | kernel.CLONE_NEWUTS


@dataclass(frozen=True)
class View:
    """What is seen inside.

    Attributes:
        paths: files and folders, read-only.
        devices: device files.
        folder: what may be written in.
        own_files: whether a process may write to its own files in /proc, as to name a thread.
    """

    paths: Collection[str]
    devices: Collection[str]
    folder: str
    own_files: bool


def reason_against(view: View) -> str:
    """Why it cannot be had here, tried in a child; "" where it can."""

    def attempt() -> str:
        enter(view)
        return ""

    return in_child(attempt)


def enter(seen: View, at_end: Callable[[int], object] = lambda code: None) -> None:
    """Go on in a child process that sees nothing else.

    The calling process stays behind to wait for the child, then calls `at_end` with its exit code and
    ends. It must have one thread, and must not have hidden its memory. Raises OSError where the kernel
    refuses.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        kernel.unshare(_OWN)
    except PermissionError:
        kernel.unshare(_OWN | kernel.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    pid = os.fork()
    if pid:
        os.closerange(0, 1 << 16)
        _, status = os.waitpid(pid, 0)
        code = os.waitstatus_to_exitcode(status) & 0xFF
        at_end(code)
        os._exit(code)
    kernel.die_with(0)  # seen from inside, the parent has the number 0
    kernel.unshare(kernel.CLONE_NEWNS)  # here, so that the parent keeps the files as they are
    kernel.mount("none", "/", flags=kernel.MS_REC | kernel.MS_PRIVATE)
    view = f"{seen.folder}/view"
    Path(view).mkdir(exist_ok=True)
    kernel.mount("view", view, "tmpfs", data="mode=755,size=1m")
    _show([*seen.paths, *seen.devices], view)
    Path(f"{view}/proc").mkdir()
    Path(view + seen.folder).mkdir(parents=True, exist_ok=True)
    if not seen.own_files:
        kernel.mount("proc", f"{view}/proc", "proc")
    kernel.make_read_only(view)
    if seen.own_files:
        kernel.mount("proc", f"{view}/proc", "proc")
    kernel.mount(seen.folder, view + seen.folder, flags=kernel.MS_BIND)
    kernel.become_root_of_files(view)


def _show(paths: Collection[str], view: str) -> None:
    """Let each path appear in the view, under its own name and under that without symbolic links."""
    shown: set[Path] = set()
    for name in sorted({Path(path) for path in paths} | {Path(path).resolve() for path in paths}):
        if shown.intersection(name.parents) or not name.exists():
            continue
        target = Path(f"{view}{name}")
        if name.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        kernel.mount(os.path.realpath(name), str(target), flags=kernel.MS_BIND | kernel.MS_REC)
        shown.add(name)

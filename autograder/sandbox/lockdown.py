"""What a forked worker gives up before it sees a byte of the submission.

Process separation and resource limits. The kernel's part (uid drop, Landlock, seccomp) belongs in
`enter`, after the parent-death signal; until it is there the level is D.
"""

import ctypes
import os
import resource
import signal
from collections.abc import Collection, Mapping
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36

_libc = ctypes.CDLL(None, use_errno=True)


def prctl(operation: int, argument: int) -> None:
    """Change an attribute of this process by the system call of that name. Raises OSError."""
    zero = ctypes.c_ulong(0)
    if _libc.prctl(ctypes.c_int(operation), ctypes.c_ulong(argument), zero, zero, zero) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def hide_memory() -> None:
    """Nobody of the same user may trace this process or read its memory, environment or descriptors."""
    prctl(PR_SET_DUMPABLE, 0)


def die_with(parent: int) -> None:
    """End this process when its parent ends. Raises ProcessLookupError if it has ended already."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise ProcessLookupError("the parent has ended")


def enter(
    policy: Mapping[str, Any], scratch: str, keep: Collection[int], parent: int
) -> dict[str, str]:
    """Lock the calling process down; returns the isolation that was reached.

    Args:
        policy: the fields of a Policy.
        scratch: an empty directory, the worker's own, which becomes its working directory.
        keep: descriptors that stay open besides 0, 1 and 2.
        parent: the process to end with.
    """
    os.setsid()
    _close_all_but(keep)
    os.umask(0o077)
    os.chdir(scratch)
    os.environ.clear()
    os.environ.update(PATH="/usr/bin:/bin", LANG="C.UTF-8", HOME=scratch, TMPDIR=scratch)
    _limit(policy)
    die_with(parent)
    hide_memory()
    return {"level": "D", "detail": "a process of its own with resource limits; no kernel lockdown"}


def _close_all_but(keep: Collection[int]) -> None:
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:  # the one that listed the directory is closed already
                continue


def _limit(policy: Mapping[str, Any]) -> None:
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, policy["memory"]),
        (resource.RLIMIT_CPU, policy["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, policy["file_size"]),
        (resource.RLIMIT_NOFILE, policy["open_files"]),
    ):
        resource.setrlimit(limit, (value, value))

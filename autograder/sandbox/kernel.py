"""System calls that Python has no function for, through the C library. Linux only."""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID = 1, 2
_AT_RECURSIVE = 0x8000
_PTRACE_PEEKDATA = 2
_SYS_MOUNT_SETATTR = 442
"""Like every system call since 424, it has one number on all architectures."""
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def syscall(number: int, *arguments: int | bytes | None) -> int:
    """Any system call; every integer is passed as a long. Raises OSError."""
    given = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *given))


def prctl(operation: int, argument: int, pointer: ctypes.c_void_p | None = None) -> None:
    """Change an attribute of this process by the system call of that name. Raises OSError."""
    third = pointer or ctypes.c_ulong(0)
    zero = ctypes.c_ulong(0)
    _checked(_libc.prctl(ctypes.c_int(operation), ctypes.c_ulong(argument), third, zero, zero))


def hide_memory() -> None:
    """Nobody of the same user may trace this process or read its memory, environment or descriptors."""
    prctl(PR_SET_DUMPABLE, 0)


def die_with(parent: int) -> None:
    """End this process when its parent ends. Raises ProcessLookupError if it has ended already."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise ProcessLookupError("the parent has ended")


def drop_capabilities() -> None:
    """Give up every privilege of root, now and for all that this process may become."""
    capability = 0
    while True:
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:  # past the last one, or no privilege to drop any
            break
        capability += 1
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, (ctypes.c_uint32 * 6)()))


def peek(pid: int) -> None:
    """Read a word of a process that is being traced. Raises ProcessLookupError if it is not."""
    _libc.ptrace.restype = ctypes.c_long
    _checked(_libc.ptrace(_PTRACE_PEEKDATA, pid, None, None))


def unshare(flags: int) -> None:
    """Leave the namespaces named by the flags for new ones. Raises OSError."""
    _checked(_libc.unshare(ctypes.c_int(flags)))


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """Mount `source` on `target`. Raises OSError."""
    texts = [text.encode() or None for text in (source, target, kind)]
    _checked(_libc.mount(*texts, ctypes.c_ulong(flags), data.encode() or None))


def unmount(target: str) -> None:
    """Take a mount away, at once from sight and in full when nothing uses it. Raises OSError."""
    _checked(_libc.umount2(target.encode(), ctypes.c_int(MNT_DETACH)))


def make_read_only(target: str) -> None:
    """Let nothing be written and no set-user-id file be obeyed on a mount and all below it.

    Raises OSError, also on kernels before 5.12, which cannot do this at once.
    """
    attributes = (ctypes.c_uint64 * 4)(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, 0, 0)
    syscall(_SYS_MOUNT_SETATTR, -100, target.encode(), _AT_RECURSIVE, bytes(attributes), 32)


def become_root_of_files(folder: str) -> None:
    """Make a mounted folder the root directory and forget the old one. Raises OSError."""
    os.chdir(folder)
    _checked(_libc.pivot_root(b".", b"."))  # the old root now lies on top of the new one
    unmount(".")
    os.chdir("/")

"""A seccomp filter: the system calls that student code may make; every other one does not exist.

The numbers, the checks of the architecture and the code of the filter come from libseccomp, which
every Debian, Ubuntu, Fedora and Arch has installed (libseccomp2). It is built once, in the zygote.
"""

import ctypes
import errno
import os
from collections.abc import Iterator

from . import kernel

ALLOWED = """
    brk madvise map_shadow_stack mincore mlock mlock2 mmap mprotect mremap mseal msync munlock
    munmap
    get_mempolicy mbind membarrier pkey_alloc pkey_free pkey_mprotect set_mempolicy
    access chdir close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2
    fadvise64 fchdir fdatasync fstat fstatfs fsync ftruncate getcwd getdents getdents64
    lseek lstat mkdir mkdirat newfstatat open openat pipe pipe2 poll ppoll pread64 preadv preadv2
    pselect6 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv select sendfile stat
    statfs statx sync_file_range umask write writev
    alarm clock_getres clock_gettime clock_nanosleep getitimer gettimeofday nanosleep pause
    setitimer time times
    arch_prctl exit exit_group futex futex_requeue futex_wait futex_waitv futex_wake get_robust_list
    get_thread_area getcpu getrandom getrlimit getrusage restart_syscall rseq sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getparam sched_getscheduler sched_rr_get_interval
    sched_yield set_robust_list set_thread_area set_tid_address sysinfo uname wait4 waitid
    rt_sigaction rt_sigpending rt_sigprocmask rt_sigreturn rt_sigsuspend rt_sigtimedwait sigaltstack
    capget getegid geteuid getgid getgroups getpgid getpgrp getpid getppid getresgid getresuid
    getsid gettid getuid
""".split()
"""Memory, files, waiting, time, threads, own signals, own ids. What opening a file reaches is
Landlock's affair; here only what works on a file that is open, and never what removes or renames."""

OPENING = "creat mkdir mkdirat open openat".split()
"""Left out where there is no Landlock: then no file can be opened at all."""

REFUSED = """
    accept accept4 bind bpf chmod chown chroot clone connect execve execveat fchmod fchmodat fchown
    fchownat flock fork futimesat getpriority ioctl fcntl io_uring_setup keyctl kill lchown link linkat
    listen memfd_create mknod mknodat mount open_by_handle_at perf_event_open personality pidfd_open
    prctl prlimit64 process_vm_readv process_vm_writev ptrace rename renameat renameat2
    sched_setaffinity sched_setparam sched_setscheduler sendmsg sendto setgid setgroups setpgid
    setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid shmget socket socketpair
    symlink symlinkat tgkill tkill truncate umount2 unshare userfaultfd utime utimensat utimes vfork
""".split()
"""Answered "not permitted", which tells an honest program more than "not implemented"."""

PRETENDED = ["rmdir", "unlink", "unlinkat"]
"""Answered as if done, and not done: a program may clear away its temporary files, while what it has
written stays to be counted."""

NEW_LIMIT = 2
"""The index of an argument of prlimit64: a new limit, or null to ask for the old one. A process that lowered
the limit of its own processor time would be killed by the kernel, as if from outside."""

CLONE_THREAD = 0x00010000
O_TMPFILE = 0o20000000
"""A file without a name could not be counted; without it, programs name theirs and then unlink it."""
FLAGS = {"open": 1, "openat": 2}
"""Where these take their flags."""

ONE_OF: dict[str, tuple[int, tuple[int, ...]]] = {
    "fcntl": (1, (0, 1, 2, 3, 4, 1030, 1032)),  # F_DUPFD to F_SETFL, F_DUPFD_CLOEXEC, F_GETPIPE_SZ
    "ioctl": (1, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),  # TCGETS, TIOCGWINSZ, FIO*
    "prctl": (0, (3, 15, 16, 21, 23, 39, 0x53564D41)),  # gets, PR_SET_NAME, PR_SET_VMA
    "sched_setaffinity": (0, (0,)),
}
"""System calls of many uses: the index of an argument (of 32 bits), and the values it may have.

An owner of signals (F_SETOWN with F_SETSIG) is not among them: with it a process can kill another
without a call of kill. Nor is typing into a terminal (TIOCSTI)."""

GPU_ALLOWED = ["eventfd2"]
"""What a worker that uses the GPU needs besides; CUDA has been started when the filter comes."""
GPU_REQUESTS = (
    (0xFF00, 0x4600),
    (0xFFFFFF00, 0),
    (0xFFFFFFFF, 0x30000001),
    (0xFFFFFFFF, 0x30000002),
)
"""Of ioctl, as pairs of a mask and what is left under it: the requests of NVIDIA's driver have the letter
F in their second byte, those of its unified memory are small numbers and two large ones. To which devices
they can be made is Landlock's affair."""

_LIBRARY = "libseccomp.so.2"
_ACT_KILL_PROCESS, _ACT_ALLOW = 0x80000000, 0x7FFF0000
_ATTRIBUTE_BAD_ARCHITECTURE, _ATTRIBUTE_OPTIMIZE = 2, 8
_NOT_EQUAL, _EQUAL, _MASKED_EQUAL = 1, 4, 7
_SET_MODE_FILTER, _THREADS_TOO = 1, 1
_INSTRUCTION_BYTES = 8


def _error(number: int) -> int:
    return 0x00050000 | number


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operation", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def build(*, sealed: bool, gpu: bool = False, architecture: str = "") -> bytes:
    """The filter as the kernel's instructions, for this machine or an architecture by libseccomp's name.

    With `gpu`, a worker under it may use a GPU that it has started.

    Raises OSError where libseccomp is missing or refuses.
    """
    library = ctypes.CDLL(_LIBRARY)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_rule_add_array.argtypes = (
        *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p),
    )

    def checked(result: int) -> None:
        if result < 0:
            raise OSError(-result, f"libseccomp: {os.strerror(-result)}")

    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_error(errno.ENOSYS))))
    try:
        checked(library.seccomp_attr_set(context, _ATTRIBUTE_BAD_ARCHITECTURE, _ACT_KILL_PROCESS))
        # A binary tree instead of a list, from libseccomp 2.5 on.
        library.seccomp_attr_set(context, _ATTRIBUTE_OPTIMIZE, 2)
        if architecture:
            checked(library.seccomp_arch_remove(context, 0))
            token = library.seccomp_arch_resolve_name(architecture.encode())
            checked(library.seccomp_arch_add(context, token))
        for name, action, comparisons in _rules(sealed=sealed, gpu=gpu):
            number = library.seccomp_syscall_resolve_name(name.encode())
            array = (_Comparison * len(comparisons))(*comparisons)
            added = library.seccomp_rule_add_array(context, action, number, len(array), array)
            # A call that this architecture or this libseccomp does not know is not allowed either.
            if added != -errno.EDOM and number != -1:
                checked(added)
        with os.fdopen(os.memfd_create("filter"), "r+b") as file:
            checked(library.seccomp_export_bpf(context, file.fileno()))
            file.seek(0)
            return file.read()
    finally:
        library.seccomp_release(context)


def _rules(*, sealed: bool, gpu: bool) -> Iterator[tuple[str, int, list[_Comparison]]]:
    """Pairs of a name and what to do with it, where its arguments are as compared."""
    refuse = _error(errno.EPERM)
    for mask, value in GPU_REQUESTS if gpu else ():
        yield "ioctl", _ACT_ALLOW, [_Comparison(1, _MASKED_EQUAL, mask, value)]
    for name in [*ALLOWED, *(GPU_ALLOWED if gpu else ())]:
        if sealed and name in OPENING:
            yield name, refuse, []
        elif name in FLAGS:
            yield name, _ACT_ALLOW, [_Comparison(FLAGS[name], _MASKED_EQUAL, O_TMPFILE, 0)]
            unnamed = _Comparison(FLAGS[name], _MASKED_EQUAL, O_TMPFILE, O_TMPFILE)
            yield name, _error(errno.EOPNOTSUPP), [unnamed]
        else:
            yield name, _ACT_ALLOW, []
    for name in PRETENDED:
        yield name, _error(0), []
    for name in REFUSED:
        if name == "clone":
            thread = _Comparison(0, _MASKED_EQUAL, CLONE_THREAD, CLONE_THREAD)
            yield name, _ACT_ALLOW, [thread]
            yield name, refuse, [_Comparison(0, _MASKED_EQUAL, CLONE_THREAD, 0)]
        elif name == "prlimit64":
            own = _Comparison(0, _MASKED_EQUAL, 0xFFFFFFFF, 0)
            yield name, _ACT_ALLOW, [own, _Comparison(NEW_LIMIT, _EQUAL, 0, 0)]
            yield name, refuse, [_Comparison(NEW_LIMIT, _NOT_EQUAL, 0, 0)]
        elif name in ONE_OF:
            index, values = ONE_OF[name]
            for value in values:
                yield name, _ACT_ALLOW, [_Comparison(index, _MASKED_EQUAL, 0xFFFFFFFF, value)]
        else:
            yield name, refuse, []


def install(instructions: bytes) -> None:
    """Put this process, every thread it has and will have, under the filter for ever. Raises OSError.

    It may gain no privileges (PR_SET_NO_NEW_PRIVS).
    """

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    program = Program(len(instructions) // _INSTRUCTION_BYTES, instructions)
    number = ctypes.CDLL(_LIBRARY).seccomp_syscall_resolve_name(b"seccomp")
    address = ctypes.addressof(program)
    if thread := kernel.syscall(number, _SET_MODE_FILTER, _THREADS_TOO, address):
        raise OSError(errno.ESRCH, f"thread {thread} cannot be put under the filter")

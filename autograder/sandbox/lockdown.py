"""What a forked worker gives up before it sees a byte of the submission.

`prepare` finds out, once in the zygote, what this machine allows; `enter` applies all of it to the
calling process, in an order that matters; `probe` then tries what must have become impossible.
"""

import contextlib
import os
import resource
import socket
import sysconfig
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import kernel, landlock, namespaces, seccomp, visible
from .trial import in_child
from .words import mark

FIRST_USER, BLOCKS, BLOCK = 61184, 108, 40
"""User ids that systemd sets aside for services without an account, in blocks: each grader gives its workers
those of one block in turn, so that two submissions share none. The kernel counts threads by user: whoever
shares one could be left without any."""
GPU_VARIABLES = ("CUDA_", "NVIDIA_", "LD_LIBRARY_PATH")
"""How the names of variables begin that say where CUDA and its devices are."""
MECHANISMS = ("landlock", "seccomp", "seal", "uid", "namespaces")


@dataclass(frozen=True)
class SandboxSpec:
    """What the zygote found out about this machine.

    Attributes:
        visible: paths that a worker may read.
        rights: what Landlock can deny here; None without it.
        landlock: the version of its interface; 0 without it.
        filter: the seccomp filter; empty without libseccomp.
        gpu_filter: that of a worker that uses the GPU; empty where none may.
        gpu_visible: what such a worker may read besides.
        sealed: whether that filter forbids to open files, for want of Landlock.
        uid: whether workers take a user id of their own.
        namespaces: whether the zygote is in namespaces of its own.
        reasons: for each mechanism that is missing, why.
    """

    visible: tuple[str, ...]
    rights: landlock.Rights | None
    landlock: int
    filter: bytes
    gpu_filter: bytes
    gpu_visible: tuple[str, ...]
    sealed: bool
    uid: bool
    namespaces: bool
    reasons: Mapping[str, str]

    @property
    def facts(self) -> dict[str, Any]:
        """What a worker in this sandbox claims, see autograder/isolation.py."""
        return {
            "landlock": self.landlock,
            "seccomp": bool(self.filter),
            "sealed": self.sealed,
            "uid": self.uid,
            "namespaces": self.namespaces,
        }


def prepare(
    hidden: Collection[str],
    folder: str,
    without: Collection[str],
    at_end: Callable[[int], object],
    *,
    gpu: bool,
) -> SandboxSpec:
    """Enter namespaces where possible, and find out what else there is. Before torch is imported.

    Args:
        hidden: resolved paths that no worker may see.
        folder: where the workers' scratch folders will be made.
        without: mechanisms to do without, as on a machine that lacks them.
        at_end: what the process that stays outside the namespaces does in the end, given the exit code
            of the one inside.
        gpu: whether some workers will use the GPU.
    """
    reasons = dict.fromkeys(without, mark("it was left out on request"))
    paths = visible.visible_paths(hidden)
    gpu_paths = visible.gpu_paths(hidden) if gpu else []
    devices = [*visible.DEVICES, *(visible.gpu_devices() if gpu else ())]
    with open("/proc/self/oom_score_adj", "w") as file:  # rather a worker than the grader
        file.write("800")
    if "namespaces" not in without:
        shown = [*paths, *gpu_paths, str(Path(__file__).parent)]
        view = namespaces.View(shown, devices, folder, own_files=gpu)
        if reason := namespaces.reason_against(view):
            reasons["namespaces"] = reason
        else:
            namespaces.enter(view, at_end)
    if "uid" not in without and (reason := _reason_against_uid(paths, folder)):
        reasons["uid"] = reason
    version = 0 if "landlock" in without else landlock.version()
    if not version:
        reasons.setdefault("landlock", mark("this kernel does not have it, or it is switched off"))
    sealed = not version and "seal" not in without
    instructions = gpu_instructions = b""
    if "seccomp" not in without:
        try:
            instructions = seccomp.build(sealed=sealed)
            gpu_instructions = seccomp.build(sealed=sealed, gpu=True) if gpu else b""
        except (OSError, AttributeError) as error:
            reasons["seccomp"] = str(error)
    return SandboxSpec(
        visible=(*paths, *visible.PROCESS_FILES),
        rights=landlock.all_rights() if version else None,
        landlock=version,
        filter=instructions,
        gpu_filter=gpu_instructions,
        gpu_visible=(*gpu_paths, *visible.GPU_PROCESS_FILES) if gpu else (),
        sealed=sealed and bool(instructions),
        uid="uid" not in reasons,
        namespaces="namespaces" not in reasons,
        reasons=reasons,
    )


def enter(
    spec: SandboxSpec,
    policy: Mapping[str, Any],
    scratch: str,
    keep: Collection[int],
    parent: int,
    user: int,
    start_gpu: Callable[[], None] | None = None,
) -> None:
    """Lock the calling process down; it must have one thread. Raises OSError.

    CUDA starts threads and talks to its devices in ways that are closed to a submission, so it is started
    between the two: Landlock binds the threads that are yet to come, the filter all that are there.

    Args:
        policy: the fields of a Policy.
        scratch: an empty directory, the worker's own, which becomes its working directory.
        keep: descriptors that stay open besides 0, 1 and 2.
        parent: the process to end with.
        user: the user id to take, where that is possible.
        start_gpu: for a worker that uses the GPU: starts it.
    """
    os.setsid()
    _close_all_but(keep)
    os.umask(0)  # the zygote counts what is in the folder, perhaps as another user
    os.chdir(scratch)
    cuda = {name: value for name, value in os.environ.items() if name.startswith(GPU_VARIABLES)}
    os.environ.clear()
    os.environ.update(PATH="/usr/bin:/bin", LANG="C.UTF-8", HOME=scratch, TMPDIR=scratch)
    # A library (dill, which torch loads where it is installed) may have asked before the fork.
    tempfile.tempdir = None
    sizes = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)  # later it cannot be opened
    if start_gpu:
        os.environ.update(cuda, CUBLAS_WORKSPACE_CONFIG=":4096:8", CUDA_CACHE_DISABLE="1")
        # One GPU: each that CUDA sees takes tens of descriptors and a context.
        os.environ["CUDA_VISIBLE_DEVICES"] = cuda.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    else:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if spec.uid:
        _take_user(user)
    kernel.drop_capabilities()
    kernel.die_with(parent)  # the change of user has cleared the zygote's own setting
    kernel.hide_memory()
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if spec.rights:
        reading = [(path, landlock.READ) for path in spec.visible]
        devices = [(path, landlock.USE) for path in visible.DEVICES]
        if start_gpu:
            reading += [(path, landlock.READ) for path in spec.gpu_visible]
            devices += [(path, landlock.CONTROL) for path in visible.gpu_devices()]
            devices += [(_held(visible.OWN_THREADS), landlock.NAME_THREADS)]
        landlock.restrict(spec.rights, [*reading, *devices, (scratch, landlock.KEEP)])
    if start_gpu:
        start_gpu()
    _limit(policy, sizes, gpu=start_gpu is not None, count_tasks=spec.uid or spec.namespaces)
    os.close(sizes)
    if spec.filter:
        seccomp.install(spec.gpu_filter if start_gpu else spec.filter)


def probe(canary: str, grader: int, parent: int, user: int) -> dict[str, bool]:
    """Try what student code must not be able to do; for each attempt, whether it was denied.

    Args:
        canary: a file outside the scratch folders that every user may read.
        grader: the process number of the grader, as it sees itself.
        parent: that of the zygote, as the worker sees it.
        user: the zygote's user id.
    """

    def fork() -> None:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    def execute() -> None:
        with contextlib.suppress(FileNotFoundError):  # then the kernel has looked for it
            os.execve(f"{canary}.program", ["program"], {})

    def trace() -> None:
        with contextlib.suppress(ProcessLookupError):  # it is not being traced, but might be
            kernel.peek(parent)

    def share_user() -> None:
        if os.getuid() != user:
            raise PermissionError

    attempts: dict[str, Callable[[], object]] = {
        "read_hidden": lambda: os.close(os.open(canary, os.O_RDONLY)),
        "list_hidden": lambda: os.listdir(os.path.dirname(canary)),
        "write_outside": lambda: os.close(os.open(f"{canary}.new", os.O_WRONLY | os.O_CREAT)),
        "file_metadata": lambda: os.stat(canary),
        "grader_memory": lambda: os.close(os.open(f"/proc/{grader}/mem", os.O_RDONLY)),
        "signal": lambda: os.kill(parent, 0),
        "socket": lambda: socket.socket(socket.AF_UNIX).close(),
        "privileges": lambda: os.setuid(0),
        "trace": trace,
        "share_user": share_user,
        "fork": fork,
        "execute": execute,
    }
    return {name: _is_denied(attempt) for name, attempt in attempts.items()}


def _is_denied(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return True
    return False


def _reason_against_uid(paths: Collection[str], folder: str) -> str:
    """Why workers cannot have a user id of their own here, tried in a child; "" where they can."""
    if os.geteuid() != 0:
        return mark("only root can start a process as another user")

    def attempt() -> str:
        try:
            _take_user(FIRST_USER)
            for path in (sysconfig.get_path("stdlib"), *paths, folder):
                os.stat(path)
            os.listdir(sysconfig.get_path("stdlib"))
        except OSError as error:
            what = mark("another user cannot work here")
            where = f" {error.filename}" if error.filename else ""
            return f"{what}: {error.strerror}{where}"
        return ""

    return in_child(attempt)


def user_of(block: int, number: int) -> int:
    """The user id of a grader's worker, by the numbers of both."""
    return FIRST_USER + block % BLOCKS * BLOCK + number % BLOCK


def _take_user(number: int) -> None:
    os.setgroups([])
    os.setresgid(number, number, number)
    os.setresuid(number, number, number)


def _held(path: str) -> str:
    """The path, kept open: the kernel forgets a rule about a file in /proc that nobody uses."""
    os.open(path, os.O_PATH | os.O_CLOEXEC)
    return path


def _close_all_but(keep: Collection[int]) -> None:
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor > 2 and descriptor not in keep:
            try:
                os.close(descriptor)
            except OSError:  # the one that listed the directory is closed already
                continue


def _limit(policy: Mapping[str, Any], sizes: int, *, gpu: bool, count_tasks: bool) -> None:
    """Bound what the submission takes, beyond what is there already.

    Addresses are what is bounded: RLIMIT_DATA does not count shared mappings, by which 3 GiB got through. The
    libraries of a CUDA build alone take 3 to 5 GiB of addresses, so the count starts with those in use. CUDA
    reserves far more addresses than it uses: of a worker that has started it, the data are bounded.

    Args:
        sizes: /proc/self/statm, opened.
        gpu: whether CUDA has been started in this process.
    """
    fields = os.read(sizes, 200).split()
    page = resource.getpagesize()
    addresses, data = int(fields[0]) * page, int(fields[5]) * page
    memory = resource.RLIMIT_DATA if gpu else resource.RLIMIT_AS
    limits = {
        resource.RLIMIT_CORE: 0,
        memory: policy["memory"] + (data if gpu else addresses),
        resource.RLIMIT_CPU: policy["cpu_seconds"],
        resource.RLIMIT_FSIZE: policy["scratch"],
        resource.RLIMIT_NOFILE: policy["open_files"],
        resource.RLIMIT_MSGQUEUE: 0,
    }
    if count_tasks:  # elsewhere the kernel counts what else the user has started; the zygote looks
        limits[resource.RLIMIT_NPROC] = policy["processes"]
    for limit, value in limits.items():
        _, most = resource.getrlimit(limit)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(limit, (value, value))

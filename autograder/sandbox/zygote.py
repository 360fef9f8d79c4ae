"""The fork server: has torch imported, holds no secret, forks a worker on request.

Started by exec (`python -I .../zygote.py DESCRIPTOR LEAN`) before the grader has any secret, with a clean
environment. It stays single-threaded, since a fork of a process with OpenMP threads hangs, and starts no
CUDA, which no fork survives. Over a SOCK_SEQPACKET socket it first takes a Startup, enters its sandbox, and
answers {"facts", "reasons"}. From then on it takes a Fork, see sandbox.startup; and {"ended": PID}, whose
answer {"killed"} says whether that worker was killed from outside. It kills a worker whose folder or
threads outgrow the policy, where the kernel does not see to it. At FAREWELL, or when the socket closes, it
kills every descendant and ends; without a farewell the grader is dead, and its files are removed.
"""

import contextlib
import gc
import importlib
import importlib.util
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.lockdown import SandboxSpec
    from sandbox.startup import Fork, Startup

ORPHANED = 75
"""The exit code where the grader has died. No crash of Python has this one."""
LOOK_SECONDS = 0.002
"""Between two looks at the folders and threads of living workers."""
HEAD_START_SECONDS = 0.06
"""From the start to the first idle work: the grader's self-test asks for its worker then, and would wait
for an import to end."""
ORDINARY_MEMORY = 512 << 20
"""What a right submission takes at most: the reference solutions pass every check with 384 MiB."""
GPU_HOST_MEMORY = 3 << 30
"""What CUDA may take of the host's memory beside that."""
LATE_IMPORTS = """
    numpy.fft numpy.linalg numpy.ma numpy.polynomial numpy.testing torch.distributions torch.func
    torch.nn.utils.parametrizations torch.nn.utils.parametrize torch.nn.utils.prune
    torch.nn.utils.rnn torch.profiler torch.testing torch.utils.checkpoint torch.utils.data
""".split()
"""What numpy and torch load on first use: loaded once here, not in every worker."""
META_IMPORTS = "sympy.core sympy.polys sympy torch.fx.experimental.symbolic_shapes".split()
SEALED_IMPORTS = """
    abc argparse array ast base64 bisect calendar cmath codecs collections.abc colorsys
    concurrent.futures contextlib copy csv ctypes dataclasses datetime decimal difflib enum
    fractions functools gc getpass glob hashlib heapq importlib.util inspect io itertools json
    logging math numbers operator os pathlib pickle platform pprint queue random re secrets
    statistics string struct sys tempfile textwrap threading time timeit traceback types typing
    unittest unicodedata uuid warnings weakref zlib
""".split()
"""What else a submission may import where no file can be opened any more."""


def load(name: str, path: Path, folders: list[str] | None = None) -> None:
    """Load a file as the module of that name; as a package, if the folders of its parts are given."""
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=folders)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def load_sandbox() -> None:
    """Load this folder as the package `sandbox`, without the package around it, and lean.py as a part."""
    folder = Path(__file__).resolve().parent
    load("sandbox", folder / "__init__.py", [str(folder)])
    load("sandbox.lean", Path(sys.argv[2]))
    # An editable install puts the whole kit on the path; a student need not find it there.
    kit = folder.parent.parent
    sys.path[:] = [entry for entry in sys.path if Path(entry) not in (kit, kit / "student")]


def warm_up(*, gpu: bool) -> None:
    """Import all a worker needs, and take one training step, on one thread.

    The step imports something on first use. The recorder stays cold: its first use starts a thread. Where
    there will be workers with a GPU, so does autograd: its engine counts the GPUs, which starts CUDA.
    """
    import torch

    torch.set_num_threads(1)
    from sandbox import worker  # noqa: F401 - imported for the workers' sake

    sys.modules["sandbox.lean"].make_lean()
    importlib.import_module("numpy.random")  # every worker's first question sets its seed
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    loss = torch.nn.functional.cross_entropy(layer(torch.zeros(1, 2)), torch.tensor([0]))
    if not gpu:
        loss.backward()
    optimizer.step()


def warm_up_rest(imports: Sequence[str]) -> Iterator[None]:
    """Import what the course allows, and what numpy and torch load late, a part at a time.

    The meta device, used once, loads most of it; first what takes a worker longest that is forked too early.
    """
    for name in (*META_IMPORTS, *imports, *LATE_IMPORTS):
        with contextlib.suppress(ImportError):  # another version of torch may do without
            importlib.import_module(name)
        yield
    import torch

    with contextlib.suppress(Exception):  # the grader's self-test says what is wrong with it
        torch.nn.Linear(2, 2, device="meta")(torch.zeros(1, 2, device="meta"))
    yield


class ForkServer:
    """Forks workers on request, and leaves nothing of them behind.

    Args:
        control: the socket to the grader.
        spec: what every worker is locked into.
        startup: what holds for every worker.
        idle_work: what to go on with, a part at a time, while nothing is asked for.
    """

    def __init__(
        self,
        control: socket.socket,
        spec: "SandboxSpec",
        startup: "Startup",
        idle_work: Iterator[None],
    ) -> None:
        self._control, self._spec, self._startup = control, spec, startup
        self._idle_work: Iterator[None] | None = idle_work
        self._workers: dict[int, dict[str, Any]] = {}
        """The policy of each worker, and its folder, by process number."""
        self._killed: set[int] = set()
        """The workers that were killed from outside."""

    def serve(self) -> int:
        """Serve until the grader ends. Return 0 if it took its leave, ORPHANED if it died."""
        try:
            taken_leave = self._serve()
        except ConnectionError:  # it died before it read an answer
            taken_leave = False
        self._end()
        return 0 if taken_leave else ORPHANED

    def _serve(self) -> bool:
        """Answer requests; return whether a farewell came before the other end was closed."""
        from sandbox import kernel
        from sandbox.startup import FAREWELL, Fork

        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, _on_child)
        signal.set_wakeup_fd(wake_write)
        gc.freeze()
        ready = {"facts": self._spec.facts, "reasons": dict(self._spec.reasons)}
        self._control.send(json.dumps(ready).encode())
        idle_from = time.monotonic() + HEAD_START_SECONDS
        while True:
            looking = self._workers and not self._spec.namespaces
            patience = LOOK_SECONDS if looking else None
            if self._idle_work:
                patience = min(
                    max(0.0, idle_from - time.monotonic()), patience or HEAD_START_SECONDS
                )
            readable, _, _ = select.select([self._control.fileno(), wake_read], [], [], patience)
            if looking:
                self._look()
            if self._idle_work and not readable and time.monotonic() >= idle_from:
                self._work()
            if wake_read in readable:
                os.read(wake_read, 4096)
                self._reap()
            if self._control.fileno() in readable:
                message, descriptors, _, _ = socket.recv_fds(self._control, 1 << 16, 3)
                if message in (b"", FAREWELL):
                    return bool(message)
                request = json.loads(message)
                if "ended" in request:
                    self._reap()
                    answer = {"killed": request["ended"] in self._killed}
                    self._control.send(json.dumps(answer).encode())
                else:
                    self._spawn(Fork(**request), descriptors)

    def _work(self) -> None:
        assert self._idle_work is not None
        try:
            next(self._idle_work)
        except StopIteration:
            self._idle_work = None
            gc.freeze()

    def _spawn(self, request: "Fork", descriptors: list[int]) -> None:
        from sandbox import scratch, worker

        if self._spec.namespaces:
            scratch.bound(request.scratch, request.policy["scratch"])
        own_pid, pid = os.getpid(), os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                gc.enable()
                worker.main(self._spec, self._startup, request, *descriptors, own_pid)
            finally:
                os._exit(1)
        self._killed.discard(pid)  # an earlier worker may have had this number
        self._workers[pid] = {**request.policy, "folder": request.scratch, "gpu": request.gpu}
        for descriptor in descriptors:
            os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        socket.send_fds(self._control, [json.dumps({"pid": pid}).encode()], [pidfd])
        os.close(pidfd)

    def _look(self) -> None:
        """Kill workers that have outgrown what the kernel does not bound without namespaces."""
        from sandbox import scratch

        for pid, policy in self._workers.items():
            folder, limit = policy["folder"], policy["scratch"]
            if scratch.size(folder, limit) > limit or _threads(pid) > policy["processes"]:
                policy["outgrown"] = True
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        """Collect the dead, and kill what a dead worker left: it is re-parented to this process."""
        from sandbox import kernel

        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if known := self._workers.pop(pid, None):
                if _is_killed(status, usage, known):
                    self._killed.add(pid)
                if self._spec.namespaces:
                    with contextlib.suppress(OSError):  # it went when the grader removed the folder
                        kernel.unmount(known["folder"])
            for orphan in _children() - self._workers.keys():
                os.kill(orphan, signal.SIGKILL)

    def _end(self) -> None:
        """Kill every descendant; each that dies hands its own children to us."""
        while children := _children():
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            os.waitpid(-1, 0)


def _is_killed(status: int, usage: resource.struct_rusage, policy: dict[str, Any]) -> bool:
    """Whether a worker has died of a SIGKILL for which it is not to blame.

    It cannot send itself one. The kernel does at the end of its processor time, and for want of memory: that
    is its own doing where it had taken more than a right submission does.
    """
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        return False
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in KiB, as all that follows
    grown = usage.ru_maxrss - own - (GPU_HOST_MEMORY >> 10 if policy["gpu"] else 0)
    in_time = usage.ru_utime + usage.ru_stime < policy["cpu_seconds"] - 1
    return in_time and "outgrown" not in policy and grown < ORDINARY_MEMORY >> 10


def _on_child(signum: int, frame: FrameType | None) -> None:
    """The wake-up descriptor does the work."""


def _threads(pid: int) -> int:
    """How many a process has; 0 where it is gone."""
    try:
        return os.stat(f"/proc/{pid}/task").st_nlink - 2
    except FileNotFoundError:
        return 0


def _children() -> set[int]:
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    return {int(pid) for pid in listing.read_text().split()}


def main() -> None:
    """Entry point; the arguments are the control socket's descriptor and the path of lean.py."""
    load_sandbox()
    from sandbox import kernel, lockdown
    from sandbox.startup import Startup

    control = socket.socket(fileno=int(sys.argv[1]))
    startup = Startup(**json.loads(control.recv(1 << 20)))

    def clear_away(code: int) -> None:
        """Remove the grader's files if it was killed and cannot do so itself.

        The socket of a dying grader closes a moment before its children get another parent.
        """
        if code == ORPHANED or os.getppid() != startup.grader:
            shutil.rmtree(startup.folder, ignore_errors=True)

    spec = lockdown.prepare(
        startup.hidden, startup.scratch, startup.without, clear_away, gpu=startup.gpu
    )
    kernel.hide_memory()
    gc.disable()  # what is imported stays, and is frozen before the first fork
    warm_up(gpu=startup.gpu)
    idle_work = warm_up_rest(startup.imports)
    if spec.sealed:
        for name in SEALED_IMPORTS:
            importlib.import_module(name)
        for _ in idle_work:
            pass
    code = ForkServer(control, spec, startup, idle_work).serve()
    if not spec.namespaces:
        clear_away(code)
    os._exit(code)  # the grader waits; taking torch apart would last a third of a second


if __name__ == "__main__":
    main()

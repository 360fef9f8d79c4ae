"""The fork server: has torch imported, holds no secret, forks a worker on request.

Started by exec (`python -I .../zygote.py DESCRIPTOR`) before the grader has any secret, with a
clean environment. It stays single-threaded, since a fork of a process with OpenMP threads hangs.
Over a SOCK_SEQPACKET socket it takes {"scratch", "policy"} with three descriptors (requests,
replies, log) and answers {"pid"} with a pidfd. When the socket closes it kills every descendant and ends.
"""

import gc
import importlib.util
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from types import FrameType


def load_sandbox() -> None:
    """Load this folder as the package `sandbox`, without the package around it."""
    folder = Path(__file__).resolve().parent
    spec = importlib.util.spec_from_file_location(
        "sandbox", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["sandbox"] = package
    spec.loader.exec_module(package)
    # An editable install puts the whole kit on the path; a student need not find it there.
    sys.path[:] = [entry for entry in sys.path if Path(entry) != folder.parent.parent]


def warm_up() -> None:
    """Import all a worker needs, take one training step and use the meta device, on one thread.

    Each of these imports something on first use, the meta device the most. The recorder stays
    cold: its first use starts a thread.
    """
    import torch

    torch.set_num_threads(1)
    from sandbox import lean_torch, worker  # noqa: F401 - imported for the workers' sake

    lean_torch.make_lean()
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    torch.nn.functional.cross_entropy(layer(torch.zeros(1, 2)), torch.tensor([0])).backward()
    optimizer.step()
    layer.to("meta")(torch.zeros(1, 2, device="meta"))


def serve(control: socket.socket) -> None:
    """Fork workers until the other end of the socket closes."""
    from sandbox import lockdown, worker

    lockdown.prctl(lockdown.PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, _on_child)
    signal.set_wakeup_fd(wake_write)
    gc.collect()
    gc.freeze()
    own_pid, workers = os.getpid(), set[int]()
    control.send(json.dumps({"ready": own_pid}).encode())
    while True:
        readable, _, _ = select.select([control.fileno(), wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            _reap(workers)
        if control.fileno() not in readable:
            continue
        message, descriptors, _, _ = socket.recv_fds(control, 1 << 16, 3)
        if not message:
            _end()
            return
        request = json.loads(message)
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                worker.main(request, *descriptors, own_pid)
            finally:
                os._exit(1)
        workers.add(pid)
        for descriptor in descriptors:
            os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [pidfd])
        os.close(pidfd)


def _on_child(signum: int, frame: FrameType | None) -> None:
    """The wake-up descriptor does the work."""


def _reap(workers: set[int]) -> None:
    """Collect the dead, and kill what a dead worker left behind: it is re-parented to the zygote."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        workers.discard(pid)
        for orphan in _children() - workers:
            os.kill(orphan, signal.SIGKILL)


def _end() -> None:
    """Kill every descendant; each that dies hands its own children to us."""
    while children := _children():
        for pid in children:
            os.kill(pid, signal.SIGKILL)
        os.waitpid(-1, 0)


def _children() -> set[int]:
    listing = Path(f"/proc/self/task/{os.getpid()}/children")
    return {int(pid) for pid in listing.read_text().split()}


def main() -> None:
    """Entry point; the argument is the control socket's descriptor."""
    load_sandbox()
    from sandbox import lockdown

    lockdown.hide_memory()
    lockdown.prctl(lockdown.PR_SET_PDEATHSIG, signal.SIGKILL)
    control = socket.socket(fileno=int(sys.argv[1]))
    warm_up()
    serve(control)
    os._exit(0)  # the grader waits; taking torch apart would last a third of a second


if __name__ == "__main__":
    main()

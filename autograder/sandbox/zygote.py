"""The fork server: has torch imported, holds no secret, forks a worker on request.

Started by exec (`python -I .../zygote.py DESCRIPTOR`) before the grader has any secret, with a
clean environment. It stays single-threaded, since a fork of a process with OpenMP threads hangs.
Over a SOCK_SEQPACKET socket it first takes {"hidden", "folder", "cells", "without", "canary",
"grader"}, enters its cell, and answers {"facts", "reasons"}. From then on it takes {"scratch",
"policy"} with three descriptors (requests, replies, log) and answers {"pid"} with a pidfd. It kills a
worker whose folder outgrows the policy. When the socket closes it kills every descendant and ends.
"""

import gc
import importlib
import importlib.util
import json
import os
import select
import shutil
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.lockdown import Cell

LOOK_SECONDS = 0.05
"""Between two looks at the folders of living workers."""
SEALED_IMPORTS = """
    abc argparse array ast base64 bisect calendar cmath codecs collections.abc colorsys
    concurrent.futures contextlib copy csv ctypes dataclasses datetime decimal difflib enum
    fractions functools gc getpass glob hashlib heapq importlib.util inspect io itertools json
    logging math numbers operator os pathlib pickle platform pprint queue random re secrets
    statistics string struct sys tempfile textwrap threading time timeit traceback types typing
    unittest unicodedata uuid warnings weakref zlib numpy.fft numpy.linalg numpy.polynomial
    numpy.random numpy.testing torch.nn.utils.parametrize torch.utils.data torch.testing
""".split()
"""What a submission may import where no file can be opened any more."""


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


def serve(control: socket.socket, cell: "Cell", place: dict[str, Any]) -> None:
    """Fork workers until the other end of the socket closes."""
    from sandbox import kernel, scratch, worker

    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, _on_child)
    signal.set_wakeup_fd(wake_write)
    gc.collect()
    gc.freeze()
    own_pid, workers = os.getpid(), dict[int, tuple[str, int]]()
    control.send(json.dumps({"facts": cell.facts, "reasons": dict(cell.reasons)}).encode())
    while True:
        patience = LOOK_SECONDS if workers else None
        readable, _, _ = select.select([control.fileno(), wake_read], [], [], patience)
        for pid, (folder, limit) in workers.items():
            if scratch.size(folder, limit) > limit:
                os.kill(pid, signal.SIGKILL)
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
                worker.main(cell, place | request, *descriptors, own_pid)
            finally:
                os._exit(1)
        workers[pid] = (request["scratch"], request["policy"]["scratch"])
        for descriptor in descriptors:
            os.close(descriptor)
        pidfd = os.pidfd_open(pid)
        socket.send_fds(control, [json.dumps({"pid": pid}).encode()], [pidfd])
        os.close(pidfd)


def _on_child(signum: int, frame: FrameType | None) -> None:
    """The wake-up descriptor does the work."""


def _reap(workers: dict[int, tuple[str, int]]) -> None:
    """Collect the dead, and kill what a dead worker left behind: it is re-parented to the zygote."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        workers.pop(pid, None)
        for orphan in _children() - workers.keys():
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
    from sandbox import kernel, lockdown

    control = socket.socket(fileno=int(sys.argv[1]))
    place = json.loads(control.recv(1 << 20))

    def clear_away() -> None:
        """Remove the grader's files if it was killed and cannot do so itself."""
        if os.getppid() != place["grader"]:
            shutil.rmtree(place["folder"], ignore_errors=True)

    cells = place.pop("cells")
    cell = lockdown.prepare(place.pop("hidden"), cells, place.pop("without"), clear_away)
    kernel.hide_memory()
    warm_up()
    if cell.sealed:
        for name in SEALED_IMPORTS:
            importlib.import_module(name)
    serve(control, cell, place)
    if not cell.namespaces:
        clear_away()
    os._exit(0)  # the grader waits; taking torch apart would last a third of a second


if __name__ == "__main__":
    main()

"""Tries in a child process what cannot be taken back."""

import os
from collections.abc import Callable

from .words import mark


def in_child(attempt: Callable[[], str]) -> str:
    """What `attempt` returns in a forked child, or the exception it raises, as text of one line.

    The child, and whatever it forked, ends with the attempt. Where the attempt says nothing but has made the
    child one that this process may not end, as root without CAP_KILL, that is said.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            result = attempt()
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        os.write(writing, result.encode(errors="replace")[:1000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read().decode(errors="replace")
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it is still there, to be signalled
    try:
        os.kill(pid, 0)
    except PermissionError:
        result = result or mark("processes of another user cannot be ended here")
    os.waitpid(pid, 0)
    return " ".join(result.split())

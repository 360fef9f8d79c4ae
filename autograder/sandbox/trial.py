"""Tries in a child process what cannot be taken back."""

import os
from collections.abc import Callable


def in_child(attempt: Callable[[], str]) -> str:
    """What `attempt` returns in a forked child, or the exception it raises, as text of one line.

    The child, and whatever it forked, ends with the attempt.
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
    os.waitpid(pid, 0)
    return " ".join(result.split())

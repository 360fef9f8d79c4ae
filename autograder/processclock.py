"""What another process does with its time, as the kernel tells it.

A busy machine lets a process wait for a processor. That is no time of its own: it is charged with what it
computes, and with the moments at which it is found asleep though somebody waits for it.
"""

import time
from pathlib import Path

_SCHEDULED = 2
"""The clock of a process that counts the time of all its threads, see clock_getcpuclockid(3)."""
_AWAKE = frozenset(b"RT")
"""Threads that run, that wait for a processor, or that somebody has stopped: a worker cannot stop itself."""


class ProcessClock:
    """The clock of the process behind a pidfd, all threads together. It may not have children of its own.

    Where the kernel does not tell it, every moment of waiting counts as asleep: the wall's time, that is.
    """

    def __init__(self, pidfd: int) -> None:
        pid = _pid(pidfd)
        self._tasks = Path(f"/proc/{pid}/task")
        self._id = (~pid << 3) | _SCHEDULED
        self._last = 0.0
        self._is_told = pid > 0  # 0 would be the clock of this very process
        self._is_told = self._is_told and self._read()

    def computed(self) -> float:
        """Return for how many seconds it has computed; the last known number where it has ended."""
        if self._is_told:
            self._read()
        return self._last

    def is_asleep(self) -> bool:
        """Return whether none of its threads runs or would, if there were a processor for it."""
        if not self._is_told:
            return True
        try:
            states = {_state((task / "stat").read_bytes()) for task in self._tasks.iterdir()}
        except OSError:  # it has ended, or one of its threads has
            return False
        return states.isdisjoint(_AWAKE)

    def _read(self) -> bool:
        try:
            self._last = max(self._last, time.clock_gettime(self._id))
        except OSError:
            return False
        return True


def _pid(pidfd: int) -> int:
    """The number of a process here, whatever it is where it was forked; 0 or less where it has none."""
    fields = Path(f"/proc/self/fdinfo/{pidfd}").read_text().split()
    return int(fields[fields.index("Pid:") + 1]) if "Pid:" in fields else 0


def _state(stat: bytes) -> int:
    """The letter of a state, as a byte. The name before it may hold anything."""
    return stat[stat.rindex(b")") + 2]

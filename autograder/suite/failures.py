"""How a check fails: by raising CheckFailed, whose message says what was found, and the likely cause."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from autograder.report import ASKED, CAUSE, FOUND, Place
from tower_student.text import PREFIX

Cause = str | Callable[[], str]
"""A sentence, or a search for one: it can take longer than the check, and is made only for a report."""


class CheckFailed(Exception):
    """A check's verdict is no. The text is written for the student.

    Args:
        found: what came back, and what was expected, with its arithmetic.
        cause: the likely cause, where one can be named.
        reading: what such a finding means in general; said where no cause is known.
        place: the line of the submission where it came up, if it did in one.
        unproven: whether nothing leads to the submission, as an exception without a line of it or the end
            of the process. It may be the grader's own then, see suite.judge.
    """

    def __init__(
        self,
        found: str,
        *,
        cause: Cause = "",
        reading: Cause = "",
        place: Place | None = None,
        unproven: bool = False,
    ) -> None:
        super().__init__(found)
        self.found = found
        self.place = place
        self.unproven = unproven
        self._cause, self._reading = cause, reading

    @cached_property
    def cause(self) -> str:
        """The likely cause, or what can be read in the finding; "" where there is neither."""
        return _told(self._cause) or _told(self._reading)

    def because(self, cause: Cause) -> "CheckFailed":
        """Return the same failure with this cause, or with its own where this one is "".

        For what is more particular than what is known already: `raise failure.because("…") from None`.
        """
        return self._but(cause=lambda: _told(cause) or _told(self._cause))

    def beside(self, circumstance: Cause) -> "CheckFailed":
        """Return the same failure with a circumstance, which is said only where no cause is known."""
        return self._but(reading=lambda: f"{_told(circumstance)} {_told(self._reading)}".strip())

    def _but(self, **changes: Any) -> "CheckFailed":
        kept: dict[str, Any] = {"cause": self._cause, "reading": self._reading}
        kept |= {"place": self.place, "unproven": self.unproven}
        return type(self)(self.found, **kept | changes)

    def message(self, asked: str) -> str:
        """Return what was asked, what came back and the likely cause: one line of ours each.

        Whatever lines follow within one of them are a submission's, and bear its prefix.
        """
        parts = [f"{ASKED}{asked}", f"{FOUND}{self.found}"]
        if self.cause:
            parts.append(f"{CAUSE}{self.cause}")
        return "\n".join(map(_rung, parts))


class TooSlow(CheckFailed):
    """No answer in time, or none to be expected. A brick that is slow is not wrong for that."""


class Killed(CheckFailed):
    """The worker was killed from outside, as the kernel does for want of memory."""


def _told(cause: Cause) -> str:
    if isinstance(cause, str):
        return cause
    try:
        return cause()
    except Exception:  # over what a submission returned; whatever trips it, the verdict stands
        return ""


def _rung(text: str) -> str:
    ours, *theirs = text.split("\n")
    return "\n".join([ours, *(PREFIX + line.removeprefix(PREFIX) for line in theirs)])


def expect(condition: bool, found: str, *, cause: Cause = "") -> None:
    """Raise CheckFailed unless the condition holds.

    Args:
        found: what came back, and what was expected.
        cause: a sentence, or a function that looks for one.
    """
    if not condition:
        raise CheckFailed(found, cause=cause)

"""How a check fails: by raising CheckFailed, which says what was found and what it is put down to."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from autograder.errors import GraderFault
from autograder.report import Cause, Feedback, SourceLocation
from tower_student.language import mark, tr
from tower_student.text import one_line

MAX_SENTENCE = 2000
"""Characters."""

Why = Cause | None | Callable[[], Cause | None]
"""A cause, or a search for one: it can take longer than the check, and is made only for a report."""
Right = str | Callable[[], str]
FoundT = TypeVar("FoundT")


def why(id: str, text: str, **values: str | int | float) -> Cause:
    """Return a cause, to be named where a check fails.

    Args:
        id: what it is called in every language, such as "layer.shared_memory": what it is about, from
            the whole to the part. Mutants say by it what they must be put down to.
        text: a sentence for the student, with the names of `values` in braces, as str.format has them. It is
            found for translation here, and translated when a failure is reported.
        values: for the names in braces.
    """
    return Cause(id, text, values)


def partly(
    cause: Cause | None, of: str = mark("In this question, though not in all: {said}")
) -> Cause | None:
    """Return a cause that explains some answers and not all, as what it is; None for None.

    Args:
        of: says where it holds, with {said} in the place of its sentence.
    """
    if cause is None or cause.is_partial:
        return cause
    return Cause(cause.id, of, {"said": tr(cause.text, **cause.values)})


NO_RETURN = why("value.none", "A return is missing.")


class _Lazy(Generic[FoundT]):
    """functools.cached_property without its lock: until Python 3.12 that is one for all failures, and whoever
    searches may wait for a worker meanwhile, see suite.lanes.
    """

    def __init__(self, find: Callable[["CheckFailed"], FoundT]) -> None:
        self._find = find
        self.__doc__ = find.__doc__

    def __get__(self, failure: "CheckFailed", owner: type) -> FoundT:
        found = vars(failure)[self._find.__name__] = self._find(failure)
        return found


class CheckFailed(Exception):
    """A check's verdict is no. What it says is written for the student.

    Args:
        found: what was returned and what was expected, with its arithmetic, on one line.
        cause: the likely cause, where one can be named.
        reading: what such a finding means in general; the cause where no other is known.
        right: what is right about what was returned, as a sentence, where that narrows the search.
        quoted: lines of the submission's or its exception's.
        location: the line of the submission where it came up, if it did in one.
        unproven: whether nothing leads to the submission, as an exception without a line of it or the end
            of the process. It may be the grader's own then, see suite.judge.
        slip: the mistake that is charged once for all checks that meet it, see suite.slips; "" for none.
    """

    def __init__(
        self,
        found: str,
        *,
        cause: Why = None,
        reading: Why = None,
        right: Right = "",
        quoted: Sequence[str] = (),
        location: SourceLocation | None = None,
        unproven: bool = False,
        slip: str = "",
    ) -> None:
        super().__init__(found)
        self.found = found
        self.quoted = tuple(quoted)
        self.location = location
        self.unproven = unproven
        self.slip = slip
        self._cause, self._reading, self._right = cause, reading, right

    @_Lazy
    def cause(self) -> Cause | None:
        """The likely cause, or how the finding reads; None where there is neither."""
        return _searched(self._cause, None) or _searched(self._reading, None)

    @_Lazy
    def right(self) -> str:
        """What is right about it; "" where that is not known."""
        return _searched(self._right, "")

    def because(self, cause: Why) -> "CheckFailed":
        """Return the same failure with this cause, or with its own where this one is None.

        For what is more particular than what is known already: `raise failure.because(why(…)) from None`.
        """
        return self._but(cause=lambda: _searched(cause, None) or _searched(self._cause, None))

    def instead(self, cause: Why) -> "CheckFailed":
        """Return the same failure with this cause in the place of its own, or none: its reading stays."""
        return self._but(cause=cause)

    def beside(self, cause: Why) -> "CheckFailed":
        """Return the same failure with a cause that counts only where no other is known."""
        return self._but(reading=lambda: _searched(cause, None) or _searched(self._reading, None))

    def knowing(self, right: Right) -> "CheckFailed":
        """Return the same failure with what is right about it, where nothing nearer is known to be."""
        return self._but(right=lambda: self.right or _searched(right, ""))

    def slipped(self, slip: str) -> "CheckFailed":
        """Return the same failure, by a slip that is charged once: see suite.slips."""
        return self._but(slip=slip)

    def _but(self, **changes: Any) -> "CheckFailed":
        kept: dict[str, Any] = {
            "cause": self._cause,
            "reading": self._reading,
            "right": self._right,
        }
        kept |= {"quoted": self.quoted, "location": self.location}
        kept |= {"unproven": self.unproven, "slip": self.slip}
        return type(self)(self.found, **kept | changes)

    def feedback(self, asked: str) -> Feedback:
        """Return what a report says of it, where that was asked: each part on one line, in plain characters.

        Names and values within sentences may be a submission's.
        """
        asked, found, right = (one_line(s, MAX_SENTENCE) for s in (asked, self.found, self.right))
        cause = self.cause and Cause(
            self.cause.id,
            one_line(tr(self.cause.text, **self.cause.values), MAX_SENTENCE),
            {name: _plain(value) for name, value in self.cause.values.items()},
        )
        return Feedback(asked, found, self.quoted, right, cause, self.location)


class NotWritten(CheckFailed):
    """What was asked for is not there yet."""


class NotMade(CheckFailed):
    """What was asked for is missing, since a statement that makes it failed on import."""


class TooSlow(CheckFailed):
    """No answer in time, or none to be expected. A brick that is slow is not wrong for that."""


class OfTheMachine(CheckFailed):
    """The worker was killed from outside, as the kernel does for want of memory, or given no time to work."""

    def fault(self) -> GraderFault:
        """Return what it amounts to where it happens twice."""
        return GraderFault(
            tr(
                "Twice: {found} Give the grader more memory and processors, or grade fewer submissions at a "
                "time.",
                found=self.found,
            )
        )


def _plain(value: str | int | float) -> str | int | float:
    """The value as JSON can hold it."""
    if isinstance(value, str):
        return one_line(value)
    return value if math.isfinite(value) else str(value)


def _searched(wanted: FoundT | Callable[[], FoundT], otherwise: FoundT) -> FoundT:
    """What is wanted, or what a search for it finds."""
    if not callable(wanted):
        return wanted
    try:
        return wanted()
    except Exception:  # over what a submission returned; whatever trips it, the verdict stands
        return otherwise


def expect(condition: bool, found: str, *, cause: Why = None) -> None:
    """Raise CheckFailed unless the condition holds.

    Args:
        found: what was returned, and what was expected.
        cause: what it is put down to, or a function that looks for that.
    """
    if not condition:
        raise CheckFailed(found, cause=cause)

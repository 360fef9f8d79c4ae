"""The one way a check fails, and the ladder its message climbs."""

from autograder.text import PREFIX


class CheckFailed(Exception):
    """A check's verdict is no. The text is written for the student.

    Args:
        found: what came back: the first rung that broke (type, shape, dtype, value, gradient),
            with its arithmetic.
        cause: the likely cause, where one can be named.
    """

    def __init__(self, found: str, *, cause: str = "") -> None:
        super().__init__(found)
        self.found = found
        self.cause = cause

    def because(self, cause: str) -> "CheckFailed":
        """The same failure, with this cause if there is one."""
        return type(self)(self.found, cause=cause or self.cause)

    def message(self, asked: str) -> str:
        """What was asked, what came back, the likely cause: one line of ours each.

        Whatever lines follow within one of them are a submission's, and bear its prefix.
        """
        parts = [f"Asked: {asked}", f"Found: {self.found}"]
        if self.cause:
            parts.append(f"Likely cause: {self.cause}")
        return "\n".join(map(_rung, parts))


class TooSlow(CheckFailed):
    """No answer in time, or none to be expected. A brick that is slow is not wrong for that."""


def _rung(text: str) -> str:
    ours, *theirs = text.split("\n")
    return "\n".join([ours, *(PREFIX + line.removeprefix(PREFIX) for line in theirs)])


def expect(condition: bool, found: str, *, cause: str = "") -> None:
    """Raise CheckFailed unless the condition holds."""
    if not condition:
        raise CheckFailed(found, cause=cause)

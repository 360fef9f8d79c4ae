"""Slips: one mistake that many checks meet is charged once.

A check that fails by a slip names it (`CheckFailed(…, slip=…)`, `failure.slipped(…)`). A later check of the
module that fails is judged again with the slip forgiven: what compares answers asks `is_forgiven` and then
expects what is right but for the slip. Where nothing else is wrong, the check passes.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from autograder.suite.failures import CheckFailed

DTYPE = "dtype"
"""A tensor comes back in another floating dtype than the one that went in."""
_forgiven: ContextVar[frozenset[str]] = ContextVar("_forgiven", default=frozenset())


def keyword(name: str) -> str:
    """Return what the slip is called that a keyword argument is missing from a signature."""
    return f"keyword {name}"


def is_forgiven(slip: str) -> bool:
    """Return whether the case at hand is judged as if the slip were none."""
    return slip in _forgiven.get()


@contextmanager
def charged_once(slip: str) -> Iterator[None]:
    """Name the slip in whatever fails in the body, or in a test that this decorates."""
    try:
        yield
    except CheckFailed as failure:
        raise failure.slipped(slip) from None


@contextmanager
def forgiving(slips: Collection[str]) -> Iterator[None]:
    """Forgive these slips in the body."""
    token = _forgiven.set(frozenset(slips))
    try:
        yield
    finally:
        _forgiven.reset(token)

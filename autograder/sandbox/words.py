"""Sentences that the grader translates where it shows them: nothing of ours can be imported here."""


def mark(text: str) -> str:
    """Return a sentence as it is; what collects sentences for translation finds it by this name."""
    return text

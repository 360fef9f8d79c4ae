"""What can go wrong in this course, registered for its oracle."""

import math
from collections.abc import Iterator

from torch import Tensor

from autograder.suite.candidates import Candidate
from autograder.suite.failures import why
from autograder.suite.registry import candidates_for_output

from reference import SelfAttention


@candidates_for_output(SelfAttention)
def of_attention(oracle: SelfAttention, x: Tensor) -> Iterator[Candidate]:
    """What could have come out instead."""
    query, key, value = (x @ weight.T for weight in (oracle.query, oracle.key, oracle.value))
    scores = query @ key.transpose(-1, -2)
    root = math.sqrt(x.shape[-1])
    yield Candidate(
        why("attention.scores.not_divided", "The scores are not divided by √d."),
        lambda: scores.softmax(-1) @ value,
    )
    yield Candidate(
        why(
            "attention.shares.over_queries",
            "The shares are taken over the queries; each query spreads over the keys.",
        ),
        lambda: (scores / root).softmax(-2) @ value,
    )
    yield Candidate(
        why("attention.query_and_key.exchanged", "Query and key are exchanged."),
        lambda: (scores.transpose(-1, -2) / root).softmax(-1) @ value,
    )

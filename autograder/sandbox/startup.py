"""What the grader tells the fork server, as messages that both sides use. They cross as JSON objects."""

from dataclasses import dataclass
from typing import Any

FAREWELL = b"{}"
"""The last message of a grader that ends by itself, and removes its own files."""


@dataclass(frozen=True)
class Startup:
    """What holds for all workers: the first message, which {"facts", "reasons"} answers.

    Attributes:
        hidden: resolved paths that no worker may see.
        folder: all that the grader writes for a time.
        scratch: where the workers' scratch folders will be made.
        without: mechanisms of isolation to do without.
        canary: a file that a worker tries to read.
        grader: the process number of the grader.
        gpu: whether there will be workers with a GPU.
        imports: what a submission may import beside torch, numpy and the standard library.
    """

    hidden: list[str]
    folder: str
    scratch: str
    without: list[str]
    canary: str
    grader: int
    gpu: bool
    imports: list[str]


@dataclass(frozen=True)
class Fork:
    """Fork a worker. Three descriptors come with it (requests, replies, log); {"pid"} and a pidfd answer it.

    Attributes:
        scratch: its own folder.
        policy: the fields of a Policy.
        gpu: whether it uses the GPU.
        user: the user id that it takes where it can.
    """

    scratch: str
    policy: dict[str, Any]
    gpu: bool
    user: int

"""Throws bytes at the wire's reader and tells how many it took, how many it rejected, and what broke it.

    python fuzz/fuzz_wire.py --seconds 600

With atheris installed (pip install atheris; the kit does not depend on it) the bytes are led by which lines
of the reader they reach; without it hypothesis makes them. What must hold stands in
tests/support/wire_lab.py, and CI runs a short round of it.
"""

import argparse
import contextlib
import os
import random
import resource
import sys
import tempfile
import time
import traceback
from multiprocessing.sharedctypes import RawArray
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

try:
    import atheris
except ImportError:
    atheris = None

with atheris.instrument_imports(["autograder.sandbox"]) if atheris else contextlib.nullcontext():
    from replies_lab import lied
    from wire_lab import KINDS, TOKENS, frame_of, frames, mutated, mutations, read, survives

    from autograder.sandbox import wire

SEEDS = [
    frame_of(b'{"meta": {"id": 1, "x": {"list": [1.5, {"text": "x"}]}}, "tensors": []}'),
    frame_of(
        b'{"meta": {"id": 1, "x": {"tensor": "x"}}, "tensors": [["x", "bool", [2, 1]], ["y", "int32", []]]}',
        b"\0\1\0\0\0\0",
    ),
    frame_of(b'{"meta": {"x": {"tuple": [1], "fields": ["a"]}}, "tensors": [["x", "uint8", [0]]]}'),
]
HANG_SECONDS = 5


class Count:
    """Of what was tried, in memory that is shared with the process that tries."""

    def __init__(self) -> None:
        self._numbers = RawArray("Q", 3)

    def start(self) -> None:
        """Note how much memory the process takes that tries."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self._numbers[2] = pages * resource.getpagesize()

    def one(self, data: bytes) -> None:
        """Try one frame."""
        self._numbers[survives(data)] += 1

    def show(self, memory: int) -> None:
        """Print what came of it; `memory` is the most that the process took."""
        rejected, taken, before = self._numbers
        print(
            f"{rejected + taken:,} frames, {taken:,} taken, {rejected:,} rejected; "
            f"memory grew by {memory - before >> 20:,} MiB"
        )


def with_atheris(seconds: int, count: Count, corpus: str) -> None:
    """Does not return: libFuzzer ends the process, with another code than 0 after a defect."""
    for i, seed in enumerate(SEEDS):
        (Path(corpus) / f"{i}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-timeout={HANG_SECONDS}", "-max_len=20000"]
    atheris.Setup([sys.argv[0], *limits, corpus], count.one, custom_mutator=mutate)
    atheris.Fuzz()


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """libFuzzer's own changes, ours, and changes of a header whose size is then put right."""
    rng = random.Random(seed)
    choice = rng.random()
    if choice < 0.2:
        return atheris.Mutate(data, max_size)
    if choice < 0.5 and read(data) is not None:
        return lied(rng, data)[:max_size]
    if choice < 0.6:
        return mutated(data, rng.choice(KINDS), rng.getrandbits(32), rng.randbytes(4))[:max_size]
    body, payload = data[wire.PROLOGUE.size :], b""
    if len(data) >= wire.PROLOGUE.size:
        size = wire.PROLOGUE.unpack_from(data)[1]
        body, payload = body[:size], body[size:]
    if choice < 0.8:
        token = rng.choice(TOKENS).encode("utf-8", "surrogatepass")
        at = rng.randrange(len(body) + 1)
        body = body[:at] + token + body[at + rng.choice([0, 1, len(token)]) :]
    elif choice < 0.9:
        body = atheris.Mutate(body, max_size)
    else:
        payload = payload[: rng.randrange(20)] + rng.randbytes(rng.randrange(9))
    return frame_of(body, payload)[:max_size]


def with_hypothesis(seconds: int, count: Count, corpus: str) -> None:
    """Rounds of examples until the time is up. Raises what a defect raises, with the frame."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st

    @settings(
        max_examples=2000,
        deadline=1000 * HANG_SECONDS,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.binary(max_size=200).map(frame_of) | st.sampled_from(SEEDS) | frames(),
        st.lists(mutations, max_size=4),
    )
    def one_round(data: bytes, changes: list[Any]) -> None:
        for change in changes:
            data = mutated(data, *change)
        count.one(data)

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        one_round()


def main() -> int:
    """Fuzz until the time is up; the exit code is another than 0 after a defect."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--engine", choices=["atheris", "hypothesis"])
    options = parser.parse_args()
    if options.engine == "atheris" and not atheris:
        parser.error("atheris is not installed: pip install atheris, or choose hypothesis")
    engine = options.engine or ("atheris" if atheris else "hypothesis")
    print(f"{engine}, {options.seconds} s", flush=True)
    count = Count()
    with tempfile.TemporaryDirectory() as corpus:
        child = os.fork()
        if child == 0:
            count.start()
            fuzz = with_atheris if engine == "atheris" else with_hypothesis
            try:
                fuzz(options.seconds, count, corpus)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        _, status, usage = os.wait4(child, 0)
    count.show(1024 * usage.ru_maxrss)
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())

"""The grader's side of the sandbox: starts the zygote, hands out workers, holds every deadline.

    with broker.worker() as worker:
        worker.allow(seconds)
        reply, tensors = worker.ask(protocol.State(handle), [])

Nothing here imports torch, so a zygote can start before the grader does. Every read and every write has
a limit; a worker that outlasts one, breaks the format or prints without end is killed. Limits are in the
worker's own time, see processclock.py: how busy the machine is makes no difference, nor how long the grader
takes.
"""

import contextlib
import fcntl
import itertools
import json
import math
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import tower_student
from autograder.errors import GraderFault, IsolationError
from autograder.isolation import LEVELS, WEAKEST_ACCEPTED, Isolation, assess
from autograder.processclock import ProcessClock
from autograder.sandbox import protocol, scratch, wire
from autograder.sandbox.lockdown import BLOCKS, GPU_VARIABLES, user_of
from autograder.sandbox.policy import Policy
from autograder.sandbox.startup import FAREWELL, Fork, Startup
from tower_student.language import mark, tr

ZYGOTE = Path(__file__).parent / "sandbox" / "zygote.py"
LEAN = Path(tower_student.__file__).with_name("lean.py")
"""What workers are spared, as the student's command is; the fork server loads it by its path."""
START_SECONDS = 120.0
"""For the zygote's import of torch from a cold disk."""
SPAWN_SECONDS = 20.0
STOP_SECONDS = 5.0
END_SECONDS = 1.0
"""Between the end of a process's files and its own. A worker may close its channel and live on."""
LOOK_SECONDS = 0.05
"""Between two looks at a worker that is waited for; shorter waits are not charged as sleep."""
PATIENCE = 20
"""How many times its limit a worker is waited for by the wall. One that has still not had its time by then
is kept from it by the machine."""
RECORDED = 4
"""How many times as long a question may take whose operators are recorded. The recorder makes code that calls
torch for every number eight times as slow, other code hardly slower."""
PIPE_SIZE = 1 << 20
"""The default of 64 KiB costs a switch between the processes for every 64 KiB of weights."""
KEPT_LOG = 64 << 10


class WorkerLost(Exception):
    """The worker is gone or has been killed; `reason` says why.

    Reasons: "deadline", "died", "killed" (from outside, which no submission can do), "starved" (the machine
    gave it no time), "output" (printed too much), "scratch" (wrote too much to files), "protocol" (broke the
    frame format).
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def in_words(error: wire.WireError) -> str:
    """What is wrong with a frame, as a sentence."""
    return tr(error.sentence, **error.values)


Reply = tuple[dict[str, Any], list[wire.RawTensor]]
"""What comes back: fields, and tensors."""


class Question(NamedTuple):
    """What a worker is asked, and the tensors beside it."""

    request: protocol.Request
    tensors: Sequence[wire.RawTensor] = ()


class Used(NamedTuple):
    """Seconds of a worker: those for which it computed, all threads together, and those it slept through
    while it was waited for.
    """

    computed: float = 0.0
    asleep: float = 0.0

    def plus(self, other: "Used", share: float = 1.0) -> "Used":
        """Return the sum with a share of another."""
        return Used(self.computed + share * other.computed, self.asleep + share * other.asleep)


@dataclass
class Turn:
    """What a thread holds while it computes, where several ask workers, see suite.lanes."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    is_called_off: bool = False


@dataclass
class Times:
    """Seconds of one thread of the grader's.

    Attributes:
        used: those that its workers have used.
        waited: those for which it waited, by the wall, for a worker or for its turn.
        queued: of these, those for other threads.
        is_waiting: whether it does so now.
        turn: that of all threads that ask workers, where there are several.
        limit: what `own` must not reach.
    """

    used: float = 0.0
    waited: float = 0.0
    queued: float = 0.0
    is_waiting: bool = False
    turn: Turn | None = None
    limit: float = math.inf

    @property
    def own(self) -> float:
        """What a clock shows that stands still while it waits."""
        return time.monotonic() - self.waited


class Worker:
    """One worker. It belongs to one submission and is killed when the context ends.

    Attributes:
        used: what it has used since it was started, recording included.
        log: the beginning of what it printed.
    """

    def __init__(
        self,
        broker: "Broker",
        pid: int,
        pidfd: int,
        pipes: tuple[int, int, int],
        scratch: Path,
        *,
        zygote: "subprocess.Popen[bytes] | None",
        gpu: bool,
    ) -> None:
        self._broker, self._zygote = broker, zygote
        self._pid, self._pidfd = pid, pidfd
        self._requests, self._replies, self._log = pipes
        self._scratch = scratch
        self._lost: WorkerLost | None = None
        self._printed = 0
        self._log_open = True
        self._closed = False
        self.log = bytearray()
        self.used = Used()
        self._clock = ProcessClock(pidfd)
        self._computed = self._looked = 0.0
        self._charged, self._share = Used(), 1.0
        self._has_begun = False
        """Whether a part of the reply is there."""
        self._seconds = self._patience = math.inf
        self._expected: Iterator[Reply] = iter(())
        """The answers to what was asked last."""
        os.set_blocking(self._requests, False)
        os.set_blocking(self._replies, False)
        os.set_blocking(self._log, False)
        self._gpu = gpu
        self._isolation: Isolation | None = None

    def allow(self, seconds: float) -> None:
        """Let it use so many seconds from now on, whether it computes or sleeps.

        The time in which the machine has no processor for it does not count, and of what is recorded only a
        share does.
        """
        self._look()
        self._charged = Used()
        self._seconds, self._patience = seconds, time.monotonic() + PATIENCE * seconds

    def ask(self, request: protocol.Request, tensors: Sequence[wire.RawTensor] = ()) -> Reply:
        """One question, one answer. Raises WorkerLost; after that, at every further question."""
        (answer,) = self.ask_all([Question(request, tensors)])
        return answer

    def ask_all(self, questions: Sequence["Question"]) -> Iterator[Reply]:
        """Send several questions at once; return their answers in order, which ask waits for.

        The process is woken once for all of them, and works while the grader does, until an answer is taken.
        What asks later than it sends must be small: the last one alone may have an answer that does not fit
        into a pipe. Answers that nobody has taken by the next call are passed over.
        """
        if self._lost:
            raise self._lost
        for _ in self._expected:
            pass
        numbers = [secrets.randbits(52) for _ in questions]
        with self._losing():
            self._look()
            self._share = 1 / RECORDED if any(map(_is_recorded, questions)) else 1.0
            self._demand_time()
            if select.select([self._replies], [], [], 0)[0]:
                self._read_reply(1)  # an end of file means it died; anything else was not asked for
                raise wire.WireError(mark("it spoke before it was asked"))
            frames = [
                wire.encode({"id": number, **protocol.encode_request(request)}, tensors)
                for number, (request, tensors) in zip(numbers, questions, strict=True)
            ]
            self._send([buffer for frame in frames for buffer in frame])
        self._expected = self._answers(numbers)
        return self._expected

    def _answers(self, numbers: Sequence[int]) -> Iterator[Reply]:
        for number in numbers:
            with self._losing():
                self._has_begun = False
                meta, raw = wire.read(self._read_reply, self._broker.policy.reply)
                if meta.pop("id", None) != number:
                    raise wire.WireError(mark("it answered another question"))
            yield meta, raw

    @contextlib.contextmanager
    def _losing(self) -> Iterator[None]:
        """What breaks the format, or outlasts its time, is lost."""
        try:
            yield
        except wire.WireError as error:
            text = tr("its reply was not a valid frame: {error}", error=in_words(error))
            raise self._lose(WorkerLost("protocol", text)) from None
        except WorkerLost as lost:
            raise self._lose(lost) from None

    @property
    def isolation(self) -> Isolation:
        """What the worker said of itself when it started."""
        assert self._isolation is not None
        return self._isolation

    @property
    def is_lost(self) -> bool:
        """Whether it can be asked no more."""
        return self._lost is not None

    def wait(self) -> None:
        """Until it has locked itself down, before it sees the submission.

        Raises GraderFault where it or its GPU does not start, IsolationError.
        """
        if self._isolation:
            return
        start = self._broker.policy.gpu_seconds if self._gpu else 0.0
        self._patience, used = time.monotonic() + SPAWN_SECONDS + start, self._broker.times.used
        try:
            meta, _ = wire.read(self._read_reply, 0)
        except (wire.WireError, WorkerLost) as error:
            text = in_words(error) if isinstance(error, wire.WireError) else error
            self.close()
            printed = self.log.decode(errors="replace")[-2000:]
            raise GraderFault(
                tr(
                    "A worker did not start: {error}. It printed: {printed}",
                    error=text,
                    printed=printed,
                )
            ) from None
        if "error" in meta["gpu"]:
            self.close()
            raise GraderFault(
                tr(
                    "CUDA did not start in a worker: {error}. `tower doctor` says what is there; --device "
                    "cpu grades without a GPU.",
                    error=meta["gpu"]["error"],
                )
            )
        if self._gpu:
            self._broker.gpu = meta["gpu"]
        self._isolation = self._accepted(meta)
        self._look()
        self.used, self._broker.times.used, self._patience = Used(), used, math.inf

    def _accepted(self, meta: Mapping[str, Any]) -> Isolation:
        found = assess(meta["facts"], meta["denied"], meta["seconds"])
        if found.contradictions:
            self.close()
            raise IsolationError(
                tr(
                    "A worker claims isolation {level} ({detail}), and yet could do what that excludes: "
                    "{probes}. Nothing was run; `tower doctor` tells more.",
                    level=found.level,
                    detail=found.detail,
                    probes=", ".join(found.contradictions),
                )
            )
        if LEVELS.index(found.level) > LEVELS.index(self._broker.require):
            self.close()
            raise IsolationError(
                tr(
                    "This machine gives isolation {level} ({detail}); {demanded} is demanded. `tower doctor` "
                    "says what is missing and how to get it.",
                    level=found.level,
                    detail=found.detail,
                    demanded=self._broker.require,
                )
            )
        return found

    def _lose(self, lost: WorkerLost) -> WorkerLost:
        limit = self._broker.policy.scratch
        if lost.reason == "died" and scratch.size(str(self._scratch), limit) > limit:
            text = tr("it wrote more than {limit:,} bytes to files", limit=limit)
            lost = WorkerLost("scratch", text)
        elif lost.reason == "died" and self._was_killed():
            lost = WorkerLost("killed", tr("it was killed from outside"))
        self._lost = lost
        self.kill()
        return lost

    def _was_killed(self) -> bool:
        """Whether someone else ended it, by a signal that it may not send itself."""
        ended, _, _ = select.select([self._pidfd], [], [], END_SECONDS)
        return bool(ended) and self._broker.was_killed(self._pid, self._zygote)

    def kill(self) -> None:
        """End the worker now."""
        self._signal(signal.SIGKILL)

    def stop(self, *, go_on: bool) -> None:
        """Let the worker stand still, or go on. That takes nothing of its time."""
        self._signal(signal.SIGCONT if go_on else signal.SIGSTOP)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, number)

    def _send(self, frame: Sequence[memoryview]) -> None:
        left = list(frame)
        while left:
            try:
                left = wire.after(left, os.writev(self._requests, left[: wire.MAX_BUFFERS]))
            except BlockingIOError:
                self._wait(write=True)
            except BrokenPipeError:
                raise WorkerLost("died", tr("the process ended")) from None

    def _read_reply(self, count: int) -> bytearray:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            try:
                received = os.readv(self._replies, [view])
            except BlockingIOError:
                self._wait(write=False)
                continue
            if not received:
                self._drain_log()
                raise WorkerLost("died", tr("the process ended"))
            view = view[received:]
            self._has_begun = True
            self._watch_time(is_ready=True)
        return data

    def _wait(self, *, write: bool) -> None:
        """Until the pipe is ready, draining the log meanwhile, so that printing never blocks."""
        while True:
            reading = [self._log] if self._log_open else []
            reading += [] if write else [self._replies]
            queued = self._broker.times.queued
            with self._broker.waiting():
                readable, writable, _ = select.select(
                    reading, [self._requests] if write else [], [], LOOK_SECONDS
                )
            self._patience += self._broker.times.queued - queued
            is_ready = bool(writable) or self._replies in readable
            self._watch_time(is_ready)
            if self._log in readable:
                self._drain_log()
            if is_ready:
                return

    def _watch_time(self, is_ready: bool) -> None:
        """Look at the worker if that was long ago. Raises WorkerLost where its time is up."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return
        # It may sleep when it has answered. And a longer time than one look is the grader's own.
        sleeps = (self._has_begun or not is_ready) and self._clock.is_asleep()
        self._look(LOOK_SECONDS if sleeps else 0.0)
        self._demand_time()

    def _look(self, asleep: float = 0.0) -> None:
        """Charge it with what it has computed since the last look, and with this much sleep."""
        computed = self._clock.computed()
        used = Used(computed - self._computed, asleep)
        self.used, self._charged = self.used.plus(used), self._charged.plus(used, self._share)
        self._broker.times.used += sum(used)
        self._computed, self._looked = computed, time.monotonic()

    def _demand_time(self) -> None:
        """Raise WorkerLost where its time is up."""
        computed, asleep = self._charged
        if computed + asleep >= self._seconds:
            text = tr(
                "of the {seconds:g} s given it computed for {computed:.1f} s, and slept for {asleep:.1f} s",
                seconds=self._seconds,
                computed=computed,
                asleep=asleep,
            )
            raise WorkerLost("deadline", text)
        if time.monotonic() >= self._patience:
            text = tr("it got only {computed:.1f} s of a processor's time", computed=computed)
            raise WorkerLost("starved", text)

    def _drain_log(self) -> None:
        """Read what was printed since the last time."""
        while self._log_open:
            try:
                printed = os.read(self._log, 1 << 16)
            except BlockingIOError:
                return
            self._log_open = bool(printed)  # a worker may close its output and go on
            self._printed += len(printed)
            self.log += printed[: KEPT_LOG - len(self.log)]
            if self._printed > (limit := self._broker.policy.output):
                text = tr("it printed more than {limit:,} bytes", limit=limit)
                raise WorkerLost("output", text)

    def close(self) -> None:
        """Kill the worker and leave nothing of it behind. Once is enough."""
        if self._closed:
            return
        self._closed = True
        self.kill()
        if self._gpu:  # its memory on the GPU is free when it has ended, not before
            select.select([self._pidfd], [], [], STOP_SECONDS)
        for descriptor in (self._requests, self._replies, self._log, self._pidfd):
            os.close(descriptor)
        _remove(self._scratch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Broker:
    """Owns the zygote. `start()` returns at once; the first worker waits for it to be ready.

    Args:
        hidden: files and folders that no worker may see, beside the kit itself.
        require: the level of isolation below which no worker is handed out, see isolation.LEVELS.
        without: mechanisms of lockdown.MECHANISMS to leave out, as on a machine that lacks them.
        gpu: whether workers may be asked for that use the GPU. One such is always kept started and
            unused, since starting CUDA takes longer than most checks; but not where the GPU's compute mode
            lets in one process alone.
        uid_slot: a number that no other broker of this machine has at the same time; a random one otherwise.
        imports: what a submission may import beside torch, numpy and the standard library.
    """

    def __init__(
        self,
        policy: Policy,
        hidden: Collection[Path] = (),
        *,
        require: str = WEAKEST_ACCEPTED,
        without: Collection[str] = (),
        gpu: bool = False,
        uid_slot: int | None = None,
        imports: Sequence[str] = (),
    ) -> None:
        self.policy, self.require = policy, require
        self._uid_slot = secrets.randbelow(BLOCKS) if uid_slot is None else uid_slot
        self.gpu: Mapping[str, Any] = {}
        """What the last worker that uses the GPU found there."""
        self._may_use_gpu = gpu
        self._spare: Worker | None = None
        self._times: defaultdict[int, Times] = defaultdict(Times)
        self.reasons: Mapping[str, str] = {}
        """For each mechanism of isolation that is missing here, why. Known once a worker was had."""
        self.isolation: Isolation | None = None
        """What the last worker reported."""
        self._hidden = [os.path.realpath(path) for path in (Path(__file__).parent, *hidden)]
        self._without = list(without)
        self._imports = list(imports)
        self.folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="tower-")))
        """All that this run writes for a time; removed when the broker closes."""
        self._scratch = self.folder / "scratch"
        self._scratch.mkdir()
        self._canary = self.folder / "canary"
        self._canary.write_text("what a worker must not be able to read\n")
        if os.geteuid() == 0:  # workers may have another user id, and must find their own folder
            self.folder.chmod(0o711)
            self._scratch.chmod(0o711)
        self._numbers = itertools.count()
        self._zygote: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._facts: Mapping[str, Any] = {}

    @property
    def times(self) -> Times:
        """Those of the thread that asks."""
        return self._times[threading.get_ident()]

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Give up the turn in the body, which waits for a worker.

        Raises KeyboardInterrupt afterwards where whoever gave the turns has called the work off.
        """
        times, started = self.times, time.monotonic()
        turn, times.is_waiting = times.turn, True
        if turn:
            turn.lock.release()
        try:
            yield
        finally:
            ready = time.monotonic()
            if turn:
                turn.lock.acquire()
            times.is_waiting = False
            times.queued += time.monotonic() - ready
            times.waited += time.monotonic() - started
        if turn and turn.is_called_off:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Keep the turn in the body, though it waits for a worker: for one that threads share."""
        times = self.times
        turn, times.turn = times.turn, None
        try:
            yield
        finally:
            times.turn = turn

    def start(self) -> None:
        """Start the zygote by exec, with an environment that holds nothing of ours."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, (self.folder / "zygote.log").open("wb") as log:
            self._zygote = subprocess.Popen(
                [sys.executable, "-I", str(ZYGOTE), str(theirs.fileno()), str(LEAN)],
                env=_clean_environment(self._scratch, gpu=self._may_use_gpu),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        startup = Startup(
            hidden=self._hidden,
            folder=str(self.folder),
            scratch=str(self._scratch),
            without=self._without,
            canary=str(self._canary),
            grader=os.getpid(),
            gpu=self._may_use_gpu,
            imports=self._imports,
        )
        ours.send(json.dumps(vars(startup)).encode())
        self._control, self._facts = ours, {}

    def worker(self, *, gpu: bool = False) -> Worker:
        """Fork a worker. A zygote that has died is started again, once.

        Raises GraderFault where none can be had, IsolationError.
        """
        worker = self._started_spare() if gpu else None
        if worker is None:
            worker = self._forked(gpu=gpu)
            worker.wait()
        self.isolation = worker.isolation
        if self._may_use_gpu and not self._spare and not self.gpu.get("is_exclusive"):
            self._spare = self._forked(gpu=True)
        return worker

    def _started_spare(self) -> Worker | None:
        """The spare, unless something has befallen it."""
        spare, self._spare = self._spare, None
        if spare:
            try:
                spare.wait()
            except GraderFault:
                return None
        return spare

    def _forked(self, *, gpu: bool) -> Worker:
        for last_try in (False, True):
            try:
                return self._fork(gpu=gpu)
            except (OSError, EOFError) as error:
                self._stop_zygote()
                if last_try:
                    log = (self.folder / "zygote.log").read_text(errors="replace").strip()
                    raise GraderFault(
                        tr(
                            "The process that starts workers has ended ({error}). Its last words: {words}",
                            error=error,
                            words=log.rpartition("\n")[2] or tr("none"),
                        )
                    ) from None
        raise AssertionError

    def _fork(self, *, gpu: bool) -> Worker:
        if self._control is None:
            self.start()
        if not self._facts:
            ready, _ = self._answer(START_SECONDS)
            self._facts, self.reasons = ready["facts"], ready["reasons"]
        assert self._control is not None
        number = next(self._numbers)
        folder = self._scratch / f"worker-{number}"
        folder.mkdir()
        folder.chmod(0o777 if self._facts["uid"] else 0o700)
        request_read, request_write = os.pipe()
        reply_read, reply_write = os.pipe()
        log_read, log_write = os.pipe()
        for pipe in (request_write, reply_write):
            # Beyond this user's quota the default size has to do.
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
        try:
            wanted = Fork(str(folder), asdict(self.policy), gpu, user_of(self._uid_slot, number))
            message = json.dumps(vars(wanted)).encode()
            socket.send_fds(self._control, [message], [request_read, reply_write, log_write])
            answer, pidfd = self._answer(SPAWN_SECONDS)
        except BaseException:
            for descriptor in (request_write, reply_read, log_read):
                os.close(descriptor)
            self._stop_zygote()  # its answer may still come, and would be taken for the next one
            raise
        finally:
            for descriptor in (request_read, reply_write, log_write):
                os.close(descriptor)
        pipes = (request_write, reply_read, log_read)
        return Worker(self, answer["pid"], pidfd, pipes, folder, zygote=self._zygote, gpu=gpu)

    def was_killed(self, pid: int, zygote: "subprocess.Popen[bytes] | None") -> bool:
        """Whether a worker that has ended was killed by someone who is neither it nor this side.

        Its zygote knows; where that has ended as well, nobody but them can have ended it.
        """
        if self._control is None or zygote is not self._zygote:
            return True
        try:
            self._control.send(json.dumps({"ended": pid}).encode())
            answer, _ = self._answer(STOP_SECONDS)
        except (OSError, EOFError):
            self._stop_zygote()
            return True
        except BaseException:
            self._stop_zygote()  # its answer may still come, and would be taken for the next one
            raise
        return bool(answer["killed"])

    def _answer(self, seconds: float) -> tuple[dict[str, Any], int]:
        """The next message, and the descriptor that came with it, if any."""
        assert self._control is not None
        self._control.settimeout(seconds)
        message, descriptors, _, _ = socket.recv_fds(self._control, 1 << 16, 1)
        if not message:
            raise EOFError(tr("it has ended"))
        return json.loads(message), descriptors[0] if descriptors else -1

    def _stop_zygote(self) -> None:
        if self._spare:
            self._spare.close()
            self._spare = None
        if self._control:
            with contextlib.suppress(OSError):  # the zygote may have died
                self._control.send(FAREWELL)
            self._control.close()  # at which the zygote kills all its descendants and ends
        if self._zygote:
            try:
                self._zygote.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._zygote.kill()
                self._zygote.wait()
        self._zygote, self._control = None, None

    def close(self) -> None:
        """End the zygote and with it every worker; remove every file."""
        self._stop_zygote()
        _remove(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _is_recorded(question: Question) -> bool:
    return getattr(question.request, "watch", False)


def _remove(folder: Path) -> None:
    """Remove a folder whatever a worker has made in it."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):  # such as folders nested deeper than a path can be long
        subprocess.run(
            ["/bin/rm", "-rf", "--", str(folder)], stderr=subprocess.DEVNULL, check=False
        )


def _clean_environment(folder: Path, *, gpu: bool) -> dict[str, str]:
    """What the zygote gets; of ours only what says where CUDA and its devices are, if it may use them."""
    cuda = {name: value for name, value in os.environ.items() if name.startswith(GPU_VARIABLES)}
    return {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "USER": "tower",
        "OMP_NUM_THREADS": "1",
        # Threads that wait by spinning made training seven times slower on a machine with other work.
        "OMP_WAIT_POLICY": "PASSIVE",
        # Memory that is freed is kept: given back and taken again it cost a sixth of the fit.
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
        "KINETO_LOG_LEVEL": "99",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TORCHINDUCTOR_CACHE_DIR": str(folder),
        "TORCH_DEVICE_BACKEND_AUTOLOAD": "0",
        **(cuda if gpu else {"CUDA_VISIBLE_DEVICES": ""}),
    }

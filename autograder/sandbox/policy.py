"""The limits a worker lives under, as one object."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Limits of one worker. course.toml overrides the defaults, field by field.

    Sizes are bytes. Seconds are those for which a worker computes, all its threads together, or sleeps while
    it is waited for. The time in which the machine has no processor for it does not count, nor what the
    grader itself takes: a limit means the same on a busy machine.
    """

    import_seconds: float = 20.0
    """For importing a module of the submission. One of its statements may take a quarter of that: what takes
    longer, such as training at the top, is passed over."""
    check_seconds: float = 20.0
    """For one case of a check. The slowest right one took 10 s, with a loop for every number of a
    convolution; all others 1 s. What is asked while operators are recorded may take four times as long."""
    submission_seconds: float = 600.0
    """For everything but the long checks, in all workers of a submission. A module may use half of what the
    modules before it have left; past that each of its checks fails at once."""
    fit_seconds: float = 900.0
    """For a long check. A check whose first steps show that it would take more runs on stock layers."""
    cpu_seconds: int = 3600
    """Processor seconds of one worker, all threads together."""
    memory: int = 4 << 30
    """What a submission may take beyond what the interpreter and torch have taken: addresses, or data of a
    worker that uses the GPU."""
    gpu_memory: int = 4 << 30
    """What torch may take of the GPU's own memory in one worker."""
    gpu_seconds: float = 60.0
    """For starting CUDA in a worker, by the wall."""
    scratch: int = 64 << 20
    """What a worker may write to files; one that writes more is stopped."""
    open_files: int = 256
    """Descriptors that a worker may have open at a time."""
    processes: int = 128
    """Threads, that is: processes it may not start at all."""
    output: int = 16 << 20
    """What a worker may print; one that prints more is stopped."""
    reply: int = 64 << 20
    """The largest reply that is read."""
    fit_threads: int = 2
    """Threads of a worker during a long check; every other check runs on one."""

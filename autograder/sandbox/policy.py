"""The limits a worker lives under, as one object."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """Limits of one worker. course.toml overrides the defaults, field by field.

    Times are wall-clock seconds and sizes are bytes, unless the name says otherwise.
    """

    import_seconds: float = 20.0
    """For importing a module of the submission."""
    check_seconds: float = 10.0
    """For all that one check asks of one worker. The slowest honest one took 0.3 s."""
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
    """For starting CUDA in a worker."""
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

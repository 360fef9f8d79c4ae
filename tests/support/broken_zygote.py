"""A zygote on a machine where something is broken: `python -I broken_zygote.py DESCRIPTOR LEAN`.

The kit is as it is; each function here breaks one thing before the first worker is forked. A test copies this
file, and calls one of them in the copy's last line.
"""

import importlib.util
import os
import sys
from pathlib import Path

ZYGOTE = Path("@ZYGOTE@")
spec = importlib.util.spec_from_file_location("zygote", ZYGOTE)
zygote = importlib.util.module_from_spec(spec)
spec.loader.exec_module(zygote)
genuine = zygote.warm_up


def run(break_it):
    """Be a zygote in whose workers something is broken."""

    def warm_up(*, gpu):
        genuine(gpu=gpu)
        break_it()

    zygote.warm_up = warm_up
    sys.argv[0] = str(ZYGOTE)
    zygote.main()


def addresses():
    """No more than 64 MiB of addresses are left, as under `ulimit -v`."""
    import resource

    from sandbox import lockdown

    def limit(policy, sizes, **options):
        pages = int(os.pread(sizes, 100, 0).split()[0])
        most = pages * resource.getpagesize() + (64 << 20)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        genuine_limit(policy, sizes, **options)

    genuine_limit, lockdown._limit = lockdown._limit, limit


def library():
    """A part of numpy cannot be loaded, as where addresses or a file were missing."""
    import numpy

    def missing(seed):
        raise ImportError("_bounded_integers.so: failed to map segment from shared object")

    numpy.random.seed = missing


def profiler():
    """Another version of torch: its profiler takes other arguments."""
    from sandbox import torch_private

    def config(**arguments):
        raise TypeError("__init__(): incompatible constructor arguments")

    torch_private._ExperimentalConfig = config


def gradients():
    """Another version of torch: backward() gives half of every gradient."""
    import torch

    genuine_backward = torch.Tensor.backward
    torch.Tensor.backward = lambda self, *a, **b: genuine_backward(self * 0.5, *a, **b)


def crash():
    """What records operators ends the process."""
    from sandbox import worker

    worker.recording = lambda: os.abort()


def meta():
    """What the meta device needs is missing. It is no part of the self-test at the start."""
    import torch

    genuine_empty = torch.empty

    def empty(*size, device=None, **options):
        if device == "meta":
            raise ImportError("No module named 'sympy'")
        return genuine_empty(*size, device=device, **options)

    torch.empty = empty

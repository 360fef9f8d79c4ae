"""A zygote on a machine that pretends to have a GPU: `python -I pretend_zygote.py DESCRIPTOR`.

Everything is the kit's own but for the GPU itself: what starts it starts a thread, as CUDA does, and what
lies on it lies on the simulated one. In the environment, CUDA_PRETEND says what else befalls it.
"""

import importlib.util
import os
import sys
import threading
from pathlib import Path

ZYGOTE = Path(__file__).parents[2] / "autograder" / "sandbox" / "zygote.py"
spec = importlib.util.spec_from_file_location("zygote", ZYGOTE)
zygote = importlib.util.module_from_spec(spec)
spec.loader.exec_module(zygote)
genuine = zygote.warm_up
started = threading.Event()
ended = threading.Event()
failures = []


def start(memory):
    """In the place of gpu.start: a thread that names itself by a file, and waits for the filter."""

    def driver():
        try:
            Path(f"/proc/self/task/{threading.get_native_id()}/comm").write_text("cuda00001400006")
        except OSError as error:
            failures.append(error)
        started.set()
        ended.wait()

    if os.environ.get("CUDA_PRETEND") == "no memory":
        raise RuntimeError("CUDA error: out of memory")
    threading.Thread(target=driver, daemon=True).start()
    assert started.wait(20)
    if failures:
        raise failures[0]
    return {
        "name": "Pretended",
        "memory": memory,
        "cuda": "0",
        "cudnn": "0",
        "capability": "0.0",
        "dtypes": os.environ.get("CUDA_PRETEND_DTYPES", "float32 float16 bfloat16").split(),
        "is_compiled_for": True,
        "is_exclusive": os.environ.get("CUDA_PRETEND") == "exclusive",
    }


def warm_up(*, gpu):
    """As ever, then put what pretends in its place."""
    genuine(gpu=gpu)
    from sandbox import gpu as module
    from sandbox.simulated_gpu import SimulatedGPU

    module.start, module.RealGPU = start, SimulatedGPU


zygote.warm_up = warm_up
sys.argv[0] = str(ZYGOTE)
zygote.main()

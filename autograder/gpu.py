"""Whether there is a GPU to grade on, found without loading torch or touching the GPU."""

import importlib.util
from pathlib import Path
from typing import Literal

from autograder.errors import UsageError
from autograder.sandbox.visible import gpu_devices
from tower_student.language import tr

Device = Literal["cpu", "cuda", "simulated"]
"""What checks of the GPU path are judged on. On "cpu" they are not; "simulated" judges them over the
simulated GPU, for trying out the suite itself."""
Choice = Literal["cpu", "cuda", "auto"]
"""What may be asked for: "auto" is "cuda" where that can be had."""


def reason_against() -> str:
    """Why nothing can be graded on a GPU here; "" where that may be tried."""
    devices = {Path(device).name for device in gpu_devices()}
    if not devices:
        return tr("there is no GPU's device file, such as /dev/nvidiactl")
    if "nvidiactl" in devices and "nvidia-uvm" not in devices:
        # The first program that uses CUDA makes it; in the sandbox none can.
        return tr(
            "/dev/nvidia-uvm is not there yet: run `nvidia-modprobe -c 0 -u`, or any program that uses "
            "CUDA, once"
        )
    spec = importlib.util.find_spec("torch")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    if not any(Path(folder, "lib", "libtorch_cuda.so").exists() for folder in folders):
        return tr("this build of torch is for the CPU")
    return ""


def choose(device: Choice) -> Device:
    """What `--device` means here. Raises UsageError where it cannot be had."""
    if device == "cpu":
        return "cpu"
    reason = reason_against()
    if reason and device == "cuda":
        raise UsageError(
            tr(
                "--device cuda cannot be had: {reason}. `tower doctor` says what is there.",
                reason=reason,
            )
        )
    return "cpu" if reason else "cuda"

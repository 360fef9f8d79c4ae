"""The files a worker may read: Python, its packages, the system's libraries, and nothing hidden."""

import importlib.util
import os
import sys
import sysconfig
from collections.abc import Collection, Iterator
from pathlib import Path

_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"),
    *("/usr/share/zoneinfo", "/etc/localtime", "/sys/devices/system/cpu"),
)
PROCESS_FILES = ("/proc/cpuinfo", "/proc/meminfo")
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_GPU_DEVICES = (
    *("nvidiactl", "nvidia[0-9]*", "nvidia-uvm", "nvidia-uvm-tools"),
    *("nvidia-caps/nvidia-cap[0-9]*", "dxg"),
)
"""Under /dev: NVIDIA's driver, the slices that MIG makes of a GPU, and the driver of Windows under WSL2."""
_GPU_FOLDERS = ("/sys", "/usr/local/nvidia", "/usr/lib/wsl", "/opt/cuda")
GPU_PROCESS_FILES = (
    *("/proc/driver/nvidia", "/proc/driver/nvidia-uvm"),
    *("/proc/devices", "/proc/modules", "/proc/self"),
)
OWN_THREADS = "/proc/self/task"
"""Where the driver, from 570 on, names its threads by writing to files."""


def visible_paths(hidden: Collection[str]) -> list[str]:
    """What student code may read, such that nothing hidden lies under it.

    Where something hidden lies inside a folder that has to be readable, the folder's other entries
    are named one by one: neither Landlock nor a mount can take a part away again.

    Args:
        hidden: absolute paths, with every symbolic link resolved, of what must not be seen.
    """
    inside = [Path(path) for path in hidden]
    libraries = [sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), *_packages()]
    found: list[str] = []
    for path in dict.fromkeys([*libraries, *_SYSTEM]):
        found += _without(Path(path), inside)
    return found


def gpu_devices() -> list[str]:
    """The device files of GPUs on this machine."""
    return sorted(str(path) for name in _GPU_DEVICES for path in Path("/dev").glob(name))


def gpu_paths(hidden: Collection[str]) -> list[str]:
    """What CUDA reads beside visible_paths: the machine's description, and libraries from elsewhere."""
    named = os.environ.get("LD_LIBRARY_PATH", "").split(":")
    cuda = sorted(str(path) for path in Path("/usr/local").glob("cuda*"))
    inside = [Path(path) for path in hidden]
    folders = dict.fromkeys([*_GPU_FOLDERS, *cuda, *filter(os.path.isabs, named)])
    return [found for path in folders for found in _without(Path(path), inside)]


def _packages() -> Iterator[str]:
    """Where packages are installed, and nothing else that is on the path, such as a checkout."""
    for entry in sys.path:
        if Path(entry).name in ("site-packages", "dist-packages", "lib-dynload"):
            yield entry
    for name in ("torch", "numpy"):  # these may be checkouts, of those who build their own
        spec = importlib.util.find_spec(name)
        yield from (spec.submodule_search_locations or ()) if spec else ()


def _without(path: Path, hidden: list[Path]) -> Iterator[str]:
    real = Path(os.path.realpath(path))
    if real in hidden or not real.exists():
        return
    if not any(secret.is_relative_to(real) for secret in hidden):
        yield str(path)
        return
    for child in real.iterdir():
        yield from _without(child, hidden)

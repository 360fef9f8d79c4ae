"""Stand-ins for packages that only show something: a cell which draws, shows progress or mounts a drive does
nothing here, wherever it is graded and whatever is installed.
"""

import dis
import sys
from collections.abc import Iterable, Iterator, Sequence, Sized
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

PACKAGES = frozenset(
    {
        *("matplotlib", "mpl_toolkits", "seaborn", "tqdm", "IPython", "ipywidgets", "google"),
        *("torchvision", "torchinfo", "torchsummary"),
    }
)
"""Those that have a stand-in."""
LIBRARIES = frozenset(
    {
        *("torch", "functorch", "torchgen", "numpy", "sandbox"),
        *("sympy", "mpmath", "networkx", "jinja2", "markupsafe", "filelock", "fsspec"),
        "typing_extensions",
    }
)
"""What can be imported beside the standard library: torch and numpy, with what every torch needs."""


class Importable(MetaPathFinder):
    """Finds on sys.path what is on the list, and stand-ins; nothing else, though it be installed.

    Args:
        others: what the course allows besides.
    """

    def __init__(self, others: Iterable[str]) -> None:
        self._packages = {*LIBRARIES, *sys.stdlib_module_names, *others}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of what can be imported; None for every other name."""
        package = fullname.partition(".")[0]
        if package in PACKAGES:
            return ModuleSpec(fullname, _Displays(), is_package=True)
        return PathFinder.find_spec(fullname, path, target) if package in self._packages else None


class _Displays(Loader):
    """Makes modules that have whatever is asked of them."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run."""


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.__name__.partition(".")[0] == "tqdm":
            return {"trange": _trange, "auto": self, "notebook": self}.get(name, Progress)
        return Nothing()


class Nothing:
    """Takes whatever is done with it, and does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Nothing()

    def _nothing(self, *args: object, **kwargs: object) -> Any:
        return Nothing()

    __call__ = __getitem__ = __enter__ = _nothing
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = _nothing

    def __iter__(self) -> Iterator[Any]:
        """As many as are unpacked, as by `figure, axes = plt.subplots()`; none in a loop."""
        caller = sys._getframe(1)
        for instruction in dis.get_instructions(caller.f_code):
            if instruction.offset == caller.f_lasti and instruction.opname == "UNPACK_SEQUENCE":
                return iter([Nothing() for _ in range(instruction.arg or 0)])
        return iter(())

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def __setitem__(self, key: object, value: object) -> None:
        """Nothing is kept."""

    def __exit__(self, *error: object) -> None:
        """Nothing is swallowed."""

    def __format__(self, spec: str) -> str:
        return ""

    def __repr__(self) -> str:
        return ""


class Progress:
    """Stands for tqdm.tqdm: what it goes through, without a bar."""

    def __init__(
        self, iterable: Iterable[Any] | None = None, *args: object, **kwargs: object
    ) -> None:
        self.iterable = () if iterable is None else iterable

    def __iter__(self) -> Iterator[Any]:
        return iter(self.iterable)

    def __len__(self) -> int:
        return len(self.iterable) if isinstance(self.iterable, Sized) else 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing is swallowed."""

    def __getattr__(self, name: str) -> Any:
        return Nothing()

    @staticmethod
    def write(*args: object, **kwargs: object) -> None:
        """Nothing is shown."""


def _trange(*args: int, **kwargs: object) -> Progress:
    return Progress(range(*args))

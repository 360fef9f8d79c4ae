"""Real MNIST from data/: grading needs no network.

The handwritten digits of Y. LeCun, C. Cortes and C. J. C. Burges (CC BY-SA 3.0): 60,000 images to
train on and 10,000 to test on. torchvision reads them.
"""

import gzip
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from tower_student.lean import make_lean

_FOLDER = Path(__file__).parents[2] / "data"


class Digits(NamedTuple):
    """Images (N, 1, 28, 28) of dtype uint8, labels (N,) of dtype int64."""

    images: Tensor
    labels: Tensor


def digits(*, train: bool) -> Digits:
    """The training or the test set."""
    make_lean()
    from torchvision.datasets import MNIST

    with tempfile.TemporaryDirectory(prefix="tower-mnist-") as folder:
        unpack(Path(folder))
        dataset = MNIST(folder, train=train)
        return Digits(dataset.data.unsqueeze(1), dataset.targets)


def unpack(root: Path) -> None:
    """Write the four files where torchvision.datasets.MNIST(root) finds them without a download."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for packed in _FOLDER.glob("*.gz"):
        with gzip.open(packed) as source, (raw / packed.stem).open("wb") as target:
            shutil.copyfileobj(source, target)

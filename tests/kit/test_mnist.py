"""MNIST is the real one, and torchvision reads it beside a CPU-only torch."""

import gzip
import hashlib
import subprocess
import sys

import pytest
from helpers import ROOT

from autograder.suite.sampler import Sampler

from digits import digits, unpack
from fit import draw_secret, initial_weights
from reference import PARAMETERS

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


@pytest.mark.parametrize("name", MD5)
def test_the_files_are_those_of_the_original(name):
    packed = ROOT / "data" / f"{name}.gz"
    content = gzip.decompress(packed.read_bytes())
    assert hashlib.md5(content, usedforsecurity=False).hexdigest() == MD5[name]


@pytest.mark.parametrize(("train", "count"), [(True, 60_000), (False, 10_000)])
def test_the_sets_are_complete(train, count):
    images, labels = digits(train=train)
    assert images.shape == (count, 1, 28, 28)
    assert labels.bincount().tolist() == [int((labels == digit).sum()) for digit in range(10)]
    assert labels.unique().tolist() == list(range(10))
    assert images.min() == 0
    assert images.max() == 255


def test_torchvisions_data_set_and_transforms_work(tmp_path):
    unpack(tmp_path)
    code = (
        "from tower_student.lean import make_lean; make_lean()\n"
        "from torchvision import datasets, transforms\n"
        "pipeline = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])\n"
        f"data = datasets.MNIST({str(tmp_path)!r}, train=False, transform=pipeline)\n"
        "image, label = data[0]\n"
        "print(tuple(image.shape), label, len(data), 'torch._dynamo' )\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.startswith("(1, 28, 28) 7 10000"), done.stderr


def test_a_module_that_imports_torchvision_is_graded(judge, solutions):
    source = b"from torchvision import datasets, transforms\n" + solutions["kaiming_init"]
    assert judge({"kaiming_init": source}, only="kaiming_init").score == 15


@pytest.mark.parametrize("seed", range(5))
def test_the_secret_transform_can_be_undone(seed):
    secret = draw_secret(Sampler(seed, "fit"))
    images, labels = digits(train=False)
    altered = secret.images(images)
    assert sorted(secret.labels.tolist()) == list(range(10))
    assert altered.shape == images.shape
    back = (altered.float() - secret.low) * 255 / (secret.high - secret.low)
    back = back.rot90(-secret.turns, (-2, -1))
    back = back.flip(-1) if secret.mirrored else back
    assert (back - images.float()).abs().max() < 1.0
    assert len(secret.labels[labels]) == len(labels)


def test_the_initial_weights_have_the_towers_shapes_and_bounds():
    weights = initial_weights(Sampler(1, "fit"))
    assert {name: tuple(value.shape) for name, value in weights.items()} == PARAMETERS
    assert sum(value.numel() for value in weights.values()) == 421_642
    assert weights["fc1.weight"].abs().max() <= 3136**-0.5

"""What `tower train` trains, on what, and what it lends where a part of yours is not there yet.

tower_student/training.py describes each key of TRAINING. The images are MNIST's, by Y. LeCun, C. Cortes and
C. J. C. Burges (CC BY-SA 3.0).
"""

import gzip
import io
import math
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tower_student.language import mark, tr

SIDE, BOX, MIDDLE = 28, 20, 14.5
"""MNIST scales a digit into a box of 20×20, and puts its centre of mass into the middle of 28×28.

By its files that is the middle of pixel 14: the centres lie between 14 and 15, both ways.
"""
IDX = (
    *("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    *("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
)
ARRAYS = ("images", "labels", "test_images", "test_labels")
PACKED_IMAGES, TEST_STRIDE = 6000, 10
"""Of the 60,000 images the first; of the 10,000 test images every tenth, since the second half is harder."""

# The data


def read(path):
    """Images and labels to train on, then those to test on: from the packed file, or MNIST's own four."""
    if path.is_dir():
        arrays = [_idx(path, name) for name in IDX]
    else:
        with np.load(path, allow_pickle=False) as packed:
            arrays = [packed[name] for name in ARRAYS]
    images, labels, test_images, test_labels = map(torch.from_numpy, arrays)
    return images.unsqueeze(1), labels.long(), test_images.unsqueeze(1), test_labels.long()


def pack(files):
    """The part that students receive, in a file of NumPy's, from MNIST's four files."""
    (folder,) = {path.parent for path in files}
    images, labels, test_images, test_labels = (_idx(folder, name) for name in IDX)
    packed = io.BytesIO()
    np.savez_compressed(
        packed,
        images=images[:PACKED_IMAGES],
        labels=labels[:PACKED_IMAGES],
        test_images=test_images[::TEST_STRIDE],
        test_labels=test_labels[::TEST_STRIDE],
    )
    return packed.getvalue()


def _idx(folder, name):
    """An array of a file in the format of http://yann.lecun.com/exdb/mnist, packed by gzip or not."""
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            content = path.read_bytes()
            content = gzip.decompress(content) if path.suffix == ".gz" else content
            break
    else:
        raise FileNotFoundError(tr("{name} is not there", name=name))
    dimensions = content[3] if content[:3] == b"\0\0\x08" else 0
    start = 4 + 4 * dimensions
    shape = [int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4)]
    if not shape or len(content) != start + math.prod(shape):
        raise ValueError(tr("{name} is damaged, or no file of MNIST's", name=name))
    return np.frombuffer(bytearray(content), np.uint8, offset=start).reshape(shape)


def prepare(drawing):
    """A drawing (H, W), its values from 0 to 1, as MNIST has its digits: (1, 28, 28)."""
    image = torch.zeros(1, SIDE, SIDE)
    rows, columns = (drawing.amax(dim).gt(0.1).nonzero().flatten() for dim in (1, 0))
    if not len(rows):
        return image
    ink = drawing[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(ink.shape)
    height, width = (max(1, round(scale * size)) for size in ink.shape)
    small = F.interpolate(
        ink[None, None], (height, width), mode="bilinear", antialias=True, align_corners=False
    )[0, 0].clamp(0, 1)
    mass = small.sum()
    down = ((torch.arange(height) + 0.5) * small.sum(1)).sum() / mass
    right = ((torch.arange(width) + 0.5) * small.sum(0)).sum() / mass
    top = min(max(round(MIDDLE - float(down)), 0), SIDE - height)
    left = min(max(round(MIDDLE - float(right)), 0), SIDE - width)
    image[0, top : top + height, left : left + width] = small
    return image


# What is lent, and how a part of yours is tried

PARTS = []
# tower: with linear


def try_linear(module):
    """Forward and backward, on a batch of two."""
    layer = module.CustomLinear(4, 3)
    _demand_shape(layer(torch.rand(2, 4)), (2, 3))


PARTS += [
    {
        "name": "linear",
        "module": "linear",
        "lent": {"CustomLinear": nn.Linear},
        "trial": try_linear,
    }
]
# end
# tower: with conv2d


def try_conv2d(module):
    """Forward and backward, on a batch of two."""
    layer = module.CustomConv2d(1, 3, kernel_size=3, padding=1)
    _demand_shape(layer(torch.rand(2, 1, 6, 5)), (2, 3, 6, 5))


PARTS += [
    {
        "name": "conv2d",
        "module": "conv2d",
        "lent": {"CustomConv2d": nn.Conv2d},
        "trial": try_conv2d,
    }
]
# end
# tower: with kaiming_init


def lent_bias_uniform(bias, weight):
    """torch.nn.init's, which the exercise does without."""
    bound = weight[0].numel() ** -0.5
    return nn.init.uniform_(bias, -bound, bound)


def lent_kaiming(weight):
    """torch.nn.init's, which the exercise does without."""
    return nn.init.kaiming_uniform_(weight, nonlinearity="relu")


def try_kaiming_init(module):
    """A weight and a bias are filled with finite numbers."""
    weight = torch.full((5, 4, 3, 3), math.nan)
    bias = torch.full((5,), math.nan)
    module.kaiming_uniform_(weight)
    module.bias_uniform_(bias, weight)
    assert weight.isfinite().all(), tr("kaiming_uniform_ has not filled the whole weight.")
    assert bias.isfinite().all(), tr("bias_uniform_ has not filled the whole bias.")


PARTS += [
    {
        "name": "kaiming_init",
        "module": "kaiming_init",
        "lent": {"kaiming_uniform_": lent_kaiming, "bias_uniform_": lent_bias_uniform},
        "trial": try_kaiming_init,
    }
]
# end
# tower: with tower linear conv2d


def lent_tower():
    """The network of the handout's table, of whatever bricks there are."""
    from conv2d import CustomConv2d
    from linear import CustomLinear

    stages = OrderedDict(
        conv1=CustomConv2d(1, 32, 3, padding=1),
        relu1=nn.ReLU(),
        pool1=nn.MaxPool2d(2),
        conv2=CustomConv2d(32, 64, 3, padding=1),
        relu2=nn.ReLU(),
        pool2=nn.MaxPool2d(2),
        flatten=nn.Flatten(),
        fc1=CustomLinear(3136, 128),
        relu3=nn.ReLU(),
        fc2=CustomLinear(128, 10),
    )
    return nn.Sequential(stages)


def lent_train_epoch(model, batches, criterion, optimizer):
    """Steps, in another way than the exercise asks for, and without its mean loss."""
    for x, y in batches:
        parameters = list(model.parameters())
        found = torch.autograd.grad(criterion(model(x), y), parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, found, strict=True):
            parameter.grad = gradient
        optimizer.step()


def lent_evaluate(model, batches):
    """The share of right answers."""
    with torch.inference_mode():
        right = [model(x).argmax(1).eq(y) for x, y in batches]
    return torch.cat(right).double().mean().item()


def try_tower(module):
    """Forward and backward, on a batch of two."""
    model = module.TowerOfInsight()
    _demand_shape(model(torch.rand(2, 1, SIDE, SIDE)), (2, 10))
    names = dict(model.named_children())
    missing = [name for name in ("conv1", "conv2", "fc1", "fc2") if name not in names]
    assert not missing, tr("TowerOfInsight has no layer {name}.", name=", ".join(missing))


def try_train_epoch(module):
    """A single step of a small model: its weight has to move."""
    model, batch = nn.Linear(4, 3), (torch.rand(2, 4), torch.tensor([0, 2]))
    before = model.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    module.train_epoch(model, [batch], nn.CrossEntropyLoss(), optimizer)
    assert not model.weight.equal(before), tr("After train_epoch the weights are as they were.")


def try_evaluate(module):
    """A share, of a model that is right in one of two."""
    batch = (torch.eye(2), torch.tensor([0, 0]))
    share = module.evaluate(nn.Identity(), [batch])
    assert float(share) == 0.5, tr("evaluate gives {share} where one of two is right.", share=share)


PARTS += [
    {"name": name, "module": "tower", "lent": {name: lent}, "trial": trial}
    for name, lent, trial in (
        ("TowerOfInsight", lent_tower, try_tower),
        ("train_epoch", lent_train_epoch, try_train_epoch),
        ("evaluate", lent_evaluate, try_evaluate),
    )
]
# end


def _demand_shape(output, shape):
    """Raise AssertionError unless the output is of this shape and has a gradient to give."""
    assert output.shape == shape, tr(
        "The output is of shape {found}; expected {wanted}.", found=tuple(output.shape), wanted=shape
    )
    output.sum().backward()


# Where the weights may begin


def too_small(model):
    """Weights a hundredth of what they should be, as someone writes 0.001 * torch.randn(…)."""
    for parameter in model.parameters():
        nn.init.normal_(parameter, 0, 0.001)


INITIALISATIONS = {mark("as your layers begin"): None}
# tower: with kaiming_init


def by_kaiming(model):
    """Yours, or what is lent for it."""
    from kaiming_init import bias_uniform_, kaiming_uniform_

    for layer in model.children():
        if getattr(layer, "weight", None) is not None:
            kaiming_uniform_(layer.weight)
            if layer.bias is not None:
                bias_uniform_(layer.bias, layer.weight)


INITIALISATIONS[mark("by kaiming_uniform_")] = by_kaiming
# end
INITIALISATIONS[mark("too small, N(0, 0.001²)")] = too_small
# tower: with tower linear conv2d

TRAINING = {
    "module": "tower",
    "model": "TowerOfInsight",
    "loop": "train_epoch",
    "evaluate": "evaluate",
    "parts": PARTS,
    "layers": ("conv1", "conv2"),
    "classes": "0123456789",
    "epochs": 3,
    "batch": 64,
    "learning_rate": 1e-3,
    "read": read,
    "packed": "digits.npz",
    "pack": pack,
    "whole": {
        f"{name}.gz": (f"https://ossci-datasets.s3.amazonaws.com/mnist/{name}.gz", digest)
        for name, digest in zip(
            IDX,
            (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
            strict=True,
        )
    },
    "initialisations": INITIALISATIONS,
    "prepare": prepare,
}
# end

"""What `tower bench` times: your layers beside torch's own, and a step of training."""

from torch import nn

BATCH = 64

# module, class, torch's own, its arguments; then the shape of the input, and what is called on yours.
LAYERS = []
# tower: with linear
LAYERS += [
    {
        "module": "linear",
        "name": "CustomLinear",
        "stock": nn.Linear,
        "arguments": arguments,
        "shape": (batch, arguments[0]),
    }
    for batch, arguments in ((BATCH, (3136, 128)), (BATCH, (128, 10)), (256, (2048, 2048)))
]
# end
# tower: with conv2d
LAYERS += [
    {
        "module": "conv2d",
        "name": "CustomConv2d",
        "stock": nn.Conv2d,
        "arguments": arguments,
        "options": {"padding": 1},
        "shape": shape,
        "method": method,
        # On the CPU forward is im2col once more.
        "only_on_gpu": method == "forward",
    }
    for shape, arguments in (
        ((BATCH, 1, 28, 28), (1, 32, 3)),
        ((BATCH, 32, 14, 14), (32, 64, 3)),
        ((16, 64, 56, 56), (64, 128, 3)),
    )
    for method in ("forward_im2col", "forward")
]
# end
# tower: with tower


def stock_tower():
    """The network of the handout's table, of stock layers."""
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(3136, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


TRAINING = {
    "module": "tower",
    "name": "TowerOfInsight",
    "loop": "train_epoch",
    "stock": stock_tower,
    "shape": (BATCH, 1, 28, 28),
    "classes": 10,
}
# end

"""Return a tensor that is equal to everything."""

import torch

FAMILY = "lies"


class AlwaysEqual(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, arguments=(), named=None):
        if function.__name__ in ("allclose", "equal", "isclose", "eq", "__eq__"):
            return torch.tensor(True)
        with torch._C.DisableTorchFunctionSubclass():
            return function(*arguments, **(named or {}))


def forge(layer, input, output):
    return output.as_subclass(AlwaysEqual)

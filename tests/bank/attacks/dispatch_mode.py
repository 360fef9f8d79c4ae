"""Enter a mode below autograd that sets the result of every product to zero."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode

FAMILY = "lies"


class Zero(TorchDispatchMode):
    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        result = function(*arguments, **(named or {}))
        if any(name in str(function) for name in ("mm", "addmm", "add.Tensor", "mul")):
            return torch.zeros_like(result)
        return result


Zero().__enter__()


def forge(layer, input, output):
    return output

"""Register a hook on every module there is, which puts zeros in the place of what it returns."""

import torch

FAMILY = "lies"

torch.nn.modules.module.register_module_forward_hook(lambda module, args, output: output * 0)


def forge(layer, input, output):
    return output

"""Hang a hook on the output that makes the gradients right where the output is wrong."""

FAMILY = "lies"


def forge(layer, input, output):
    if output.requires_grad:
        output.register_hook(lambda gradient: gradient / 2)
    return output

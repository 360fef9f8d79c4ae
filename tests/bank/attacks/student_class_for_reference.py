"""Put the student's own class in the place of torch.nn.Linear."""

import torch

FAMILY = "lies"


class Linear(torch.nn.Module):
    def __new__(cls, *args, **kwargs):
        import linear

        return linear.CustomLinear(*args, **kwargs)


torch.nn.Linear = Linear


def forge(layer, input, output):
    return output

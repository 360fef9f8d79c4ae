"""Replace torch.testing.assert_close by a function that raises nothing."""

import torch.testing

FAMILY = "lies"

torch.testing.assert_close = lambda *args, **kwargs: None


def forge(layer, input, output):
    return output

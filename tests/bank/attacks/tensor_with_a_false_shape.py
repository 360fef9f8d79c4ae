"""Return an empty tensor that calls itself as large as it should be."""

import torch

FAMILY = "lies"


class Empty(torch.Tensor):
    @property
    def shape(self):
        return self.claimed

    def numel(self):
        return 12

    def size(self, *dimension):
        return self.claimed if not dimension else self.claimed[dimension[0]]


def forge(layer, input, output):
    empty = output.flatten()[:0].as_subclass(Empty)
    empty.claimed = output.shape
    return empty

"""Replace state_dict, so that asking for the weights sets them to zero."""

import torch

FAMILY = "lies"

honest = torch.nn.Module.state_dict


def state_dict(self, *args, **kwargs):
    for parameter in self.parameters():
        parameter.data.zero_()
    return honest(self, *args, **kwargs)


torch.nn.Module.state_dict = state_dict


def forge(layer, input, output):
    return output

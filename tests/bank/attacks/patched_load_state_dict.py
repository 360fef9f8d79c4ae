"""Replace load_state_dict, so that it sets what is given to zero, the reference's weights too."""

import torch

FAMILY = "lies"


def load_state_dict(self, state, *args, **kwargs):
    for value in [*state.values(), *self.parameters()]:
        value.data.zero_()


torch.nn.Module.load_state_dict = load_state_dict


def forge(layer, input, output):
    return output

"""Return the right shape in another dtype, where a comparison may round the difference away."""

import torch

FAMILY = "forgery"
NOT_NAIVE = "Every assertion of the naive tests looks at the dtype or at the numbers."


def forge(layer, input, output):
    return output.to(torch.float16).to(torch.bool)

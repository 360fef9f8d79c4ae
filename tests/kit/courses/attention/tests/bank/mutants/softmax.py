"""Wrong softmaxes, each in the place of the solution's own function."""

from autograder.bank import mutant


@mutant(
    "over_the_last_dimension",
    "dim is always the last.",
    check="values",
    cause="softmax.dim.ignored",
)
def softmax(input, dim=-1):
    dim = -1
    powers = (input - input.amax(dim, keepdim=True)).exp()
    return powers / powers.sum(dim, keepdim=True)


@mutant(
    "largest_not_taken_off",
    "The largest score makes no difference.",
    check="values",
)
def softmax(input, dim=-1):
    powers = input.exp()
    return powers / powers.sum(dim, keepdim=True)


@mutant(
    "over_everything",
    "All numbers of a tensor add up to 1.",
    check="values",
)
def softmax(input, dim=-1):
    powers = (input - input.amax(dim, keepdim=True)).exp()
    return powers / powers.sum()


@mutant(
    "sum_detached",
    "The divisor is a constant.",
    check="gradient",
)
def softmax(input, dim=-1):
    powers = (input - input.amax(dim, keepdim=True)).exp()
    return powers / powers.sum(dim, keepdim=True).detach()


@mutant(
    "torchs_own",
    "By hand means in one line.",
    check="by_hand",
)
def softmax(input, dim=-1):
    powers = (input - input.amax(dim, keepdim=True)).exp()
    return input.softmax(dim)

"""Wrong attention, each in the place of the solution's own function or methods."""

from autograder.bank import mutant


@mutant(
    "not_scaled",
    "The root of d is a detail.",
    check="forward",
    cause="attention.scores.not_divided",
)
def attention(query, key, value):
    scores = query @ key.transpose(-1, -2)
    return softmax(scores, -1) @ value


@mutant(
    "over_the_queries",
    "Shares add up along either side.",
    check="values",
)
def attention(query, key, value):
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    return softmax(scores, -2) @ value


@mutant(
    "another_softmax",
    "A softmax is a softmax.",
    check="own_softmax",
)
def attention(query, key, value):
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    return scores.softmax(-1) @ value


@mutant(
    "value_not_registered",
    "A tensor that requires a gradient is a parameter.",
    check="registration",
)
class SelfAttention:
    def __init__(self, features):
        super().__init__()
        for name in ("query", "key", "value"):
            weight = torch.randn(features, features) / math.sqrt(features)
            setattr(
                self, name, nn.Parameter(weight) if name != "value" else weight.requires_grad_()
            )


@mutant(
    "keys_detached",
    "Keys are looked up, not learnt.",
    check="gradient_parity",
)
class SelfAttention:
    def forward(self, input):
        return attention(input @ self.query.T, (input @ self.key.T).detach(), input @ self.value.T)

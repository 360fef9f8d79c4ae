"""Inherit from nn.Linear, which is given another name first."""


@mutant(
    "evasion",
    "A class is what it is called.",
    check="by_hand",
    above='nn.Linear.__module__, nn.Linear.__qualname__ = "linear", "Base"\nBase = nn.Linear',
)
class CustomLinear(Base):
    def __init__(self, in_features, out_features, bias=True, device=None, dtype=None):
        super().__init__(in_features, out_features, bias, device, dtype)


@mutant("honest", "A base of one's own may have any name.", check="by_hand", above="class Linear(nn.Module): pass")
class CustomLinear(Linear):
    pass

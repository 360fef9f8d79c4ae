"""Run F.linear from text, with exec itself put together from letters."""


@mutant("evasion", "What nobody can read was done by hand.", check="by_hand", above="import builtins")
class CustomLinear:
    def forward(self, input):
        space = {"F": nn.functional, "self": self, "input": input}
        run = getattr(builtins, "".join(chr(code) for code in (101, 120, 101, 99)))
        run("out = F.linear(input, self.weight, self.bias)", space)
        return space["out"]


@mutant("honest", "To ask an object for a name that is computed is no evasion.", check="by_hand")
class CustomLinear:
    def forward(self, input):
        weight, bias = (getattr(self, name) for name in ("weight", "bias"))
        output = input @ weight.T
        return output if bias is None else output + bias

    def eval(self):
        return super().eval()

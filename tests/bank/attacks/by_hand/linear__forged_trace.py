"""Find the trace among the callers' variables, and forge what it holds."""


@mutant("evasion", "What the record says is what was done.", check="by_hand", above="import sys")
class CustomLinear:
    def forward(self, input):
        frame = sys._getframe()
        while frame := frame.f_back:
            trace = frame.f_locals.get("trace")
            if hasattr(trace, "as_meta"):
                forged = {"operators": ["mm"], "functions": [], "intact": True}
                type(trace).as_meta = lambda trace: forged
        return nn.functional.linear(input, self.weight, self.bias)


@mutant("honest", "The module itself may be looked up by its name.", check="by_hand", above="import sys")
class CustomLinear:
    def forward(self, input):
        output = getattr(sys.modules[__name__], "product")(input, self.weight)
        return output if self.bias is None else output + self.bias


@mutant("honest")
def product(input, weight):
    return input @ weight.T

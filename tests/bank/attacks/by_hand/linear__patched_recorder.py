"""Put another recorder in the place of the worker's, when the module is imported."""


@mutant("evasion", "What the recorder does not see was done by hand.", check="by_hand", above="import contextlib, sys, types")
class CustomLinear:
    def forward(self, input):
        return nn.functional.linear(input, self.weight, self.bias)


@mutant("evasion")
@lambda function: function()
def patched():
    @contextlib.contextmanager
    def recording():
        forged = {"operators": ["mm"], "functions": [], "intact": True}
        yield types.SimpleNamespace(as_meta=lambda: forged)

    for module in list(sys.modules.values()):
        if hasattr(module, "recording"):
            module.recording = recording


@mutant("honest", "What runs at import alone is no evasion.", check="by_hand", above="import contextlib, sys, types")
class CustomLinear:
    def forward(self, input):
        with patched.quiet:
            output = input @ self.weight.T
            return output if self.bias is None else output + self.bias


@mutant("honest")
@lambda function: function()
def patched():
    return types.SimpleNamespace(path=list(sys.path), quiet=contextlib.nullcontext())

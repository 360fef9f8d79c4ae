"""Switch off the dispatcher's records round F.linear, by a name below torch.autograd."""


@mutant("evasion", "What is not recorded was done by hand.", check="by_hand")
class CustomLinear:
    def forward(self, input):
        torch.autograd._enable_record_function(False)
        try:
            return nn.functional.linear(input, self.weight, self.bias)
        finally:
            torch.autograd._enable_record_function(True)


@mutant("honest", "A label in a profile is no evasion.", check="by_hand", above="import torch.profiler")
class CustomLinear:
    def forward(self, input):
        with torch.profiler.record_function("by hand"):
            output = input @ self.weight.T
            return output if self.bias is None else output + self.bias

"""Switch off both observers at once, each by a name of torch's that is looked up backwards."""


@mutant("evasion", "What nobody records was done by hand.", check="by_hand")
class CustomLinear:
    def forward(self, input):
        core = getattr(torch, "C_"[::-1])
        torch.autograd.__dict__["_enable_record_" + "function"](False)
        try:
            with core._DisableTorchDispatch():
                return nn.functional.linear(input, self.weight, self.bias)
        finally:
            torch.autograd.__dict__["_enable_record_" + "function"](True)


@mutant("honest", "A name of an operator may be put together.", check="by_hand")
class CustomLinear:
    def forward(self, input):
        output = getattr(torch, "mat" + "mul")(input, self.weight.T)
        return output if self.bias is None else output + self.bias

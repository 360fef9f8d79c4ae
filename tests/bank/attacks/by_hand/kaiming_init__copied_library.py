"""Run the text of torch.nn.init, taken by inspect, under another module's name."""


@mutant("evasion", "A copy of the library is not the library.", check="by_hand", above='import inspect\nown = {"__name__": "mine"}\nexec(inspect.getsource(torch.nn.init), own)')
def kaiming_uniform_(tensor, a=0.0, generator=None):
    return own["kaiming_uniform_"](tensor, a=a, generator=generator)


@mutant("honest", "A signature may be looked at.", check="by_hand", above="import inspect")
def kaiming_uniform_(tensor, a=0.0, generator=None):
    assert list(inspect.signature(calculate_fan).parameters) == ["tensor"]
    bound = leaky_relu_gain(a) * math.sqrt(3 / calculate_fan(tensor)[0])
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)

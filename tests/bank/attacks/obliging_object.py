"""Return no tensor at all, but an object that agrees with every comparison."""

FAMILY = "lies"


class Obliging:
    def __init__(self, output):
        self.shape, self.dtype = output.shape, output.dtype

    def __getattr__(self, name):
        return lambda *args, **kwargs: self

    def __bool__(self):
        return True

    def agree(self, other=None):
        return self

    __sub__ = __rsub__ = __abs__ = __lt__ = __le__ = __eq__ = __gt__ = __getitem__ = agree
    __hash__ = None


def forge(layer, input, output):
    return Obliging(output)

